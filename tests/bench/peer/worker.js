// The peer's worker process: jobs that take no time at all, as the simulated cloud with zero latency.
//   node worker.js --redis PORT [--concurrency N]        prints "ready worker"
import { Worker } from 'bullmq';
import { QUEUE, connection, options } from './queue.js';

const { redis, concurrency } = options({ concurrency: '64' });
const worker = new Worker(QUEUE, async (job) => ({ vm_ref: job.data.vm }),
  { connection: connection(redis), concurrency: Number(concurrency) });
worker.on('error', (error) => {
  console.error(error);
  process.exit(1);
});
await worker.waitUntilReady();
console.log('ready worker');
process.on('SIGTERM', () => process.exit(0));
