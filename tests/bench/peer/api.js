// The peer's API process: takes specification 000's create, knows its caller, validates the body, puts a
// job into the queue and answers 202 once Redis has it (on disk: appendfsync always).
//   node api.js --redis PORT        prints "ready URL"
import { randomBytes, randomUUID } from 'node:crypto';
import { Queue } from 'bullmq';
import Fastify from 'fastify';
import { QUEUE, connection, options } from './queue.js';

const { redis } = options({});
const queue = new Queue(QUEUE, { connection: connection(redis) });
const app = Fastify({ logger: false });

// Passwords were verified at an earlier request; from then on a caller is looked up. No hash a request:
// cheaper than what slipway does.
const callers = new Map([['demo\0test\0demo', { user: 'demo', tenant: 'demo' }]]);

function identify(request, reply, done) {
  const { user, password, project_name: project } = request.headers;
  if (!user || !password) {
    reply.code(400).send({ error: `${user ? 'password' : 'user'} was not provided` });
    return;
  }
  request.caller = callers.get(`${user}\0${password}\0${project}`);
  if (request.caller === undefined) {
    reply.code(503).send({ error: 'The request you have made requires authentication. (HTTP 401)' });
    return;
  }
  done();
}

const text = { type: 'string', minLength: 1, maxLength: 255 };
const fields = ['flavor_name', 'image_name', 'network_id', 'virtual_machine_name'];
const body = {
  type: 'object',
  required: fields,
  properties: Object.fromEntries(fields.map((name) => [name, text])),
};
const string = { type: 'string' };
const link = { type: 'object', properties: { rel: string, href: string } };
const accepted = {
  type: 'object',
  properties: {
    server: {
      type: 'object',
      properties: {
        id: string,
        links: { type: 'array', items: link },
        'OS-DCF:diskConfig': string,
        security_groups: { type: 'array', items: { type: 'object', properties: { name: string } } },
        adminPass: string,
      },
    },
  },
};

app.decorateRequest('caller', null);
app.post('/api/virtual_machines', {
  preValidation: identify,
  schema: { body, response: { 202: accepted } },
}, async (request, reply) => {
  const vm = randomUUID();
  const task = randomUUID();
  await queue.add('vm.create', { vm, tenant: request.caller.tenant, actor: request.caller.user, ...request.body },
    { jobId: task });
  const base = `http://${request.headers.host}/compute`;
  reply.code(202).header('X-Task-Id', task);
  return {
    server: {
      id: vm,
      links: [{ rel: 'self', href: `${base}/v2.1/servers/${vm}` },
        { rel: 'bookmark', href: `${base}/servers/${vm}` }],
      'OS-DCF:diskConfig': 'MANUAL',
      security_groups: [{ name: 'default' }],
      adminPass: randomBytes(9).toString('base64url'),
    },
  };
});

// For the bench: how far the queue has got.
app.get('/counts', () => queue.getJobCounts('waiting', 'active', 'completed', 'failed'));

await queue.waitUntilReady();
console.log(`ready ${await app.listen({ host: '127.0.0.1', port: 0 })}`);
process.on('SIGTERM', () => process.exit(0));
