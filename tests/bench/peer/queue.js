// What the two processes of the peer share. `--redis PORT` says where Redis is.
import { parseArgs } from 'node:util';

export const QUEUE = 'vm-tasks';

export function options(defaults) {
  const names = Object.fromEntries(Object.keys(defaults).map((name) => [name, { type: 'string' }]));
  const { values } = parseArgs({ options: { redis: { type: 'string' }, ...names } });
  if (!values.redis) throw new Error('--redis PORT is missing');
  return { ...defaults, ...values };
}

// Commands issued in one turn of the event loop share one write: with one connection for all requests
// that is Redis's own way to one sync for many of them.
export function connection(redis) {
  return { host: '127.0.0.1', port: Number(redis), enableAutoPipelining: true };
}
