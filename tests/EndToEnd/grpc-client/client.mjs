// Drives a peer through its contracts alone, with the gRPC library of Node: pins, watches, lists, asks for health and reflection.
// Usage: node client.mjs PROTO-FOLDER RUN-FOLDER CID-AS-HEX
import assert from 'node:assert/strict';
import path from 'node:path';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';

const [protos, run, hex] = process.argv.slice(2);
const load = (...files) => grpc.loadPackageDefinition(loader.loadSync(files, { includeDirs: [protos], longs: Number, enums: String, bytes: Buffer, defaults: true }));
const { v1 } = load('ipfscluster/v1/cluster.proto', 'ipfscluster/v1/state.proto').ipfscluster;
const { Health } = load('grpc/health/v1/health.proto').grpc.health.v1;
const { ServerReflection } = load('grpc/reflection/v1/reflection.proto').grpc.reflection.v1;
const at = (service) => `unix:${path.join(run, service + '.sock')}`;
const credentials = grpc.credentials.createInsecure();
const soon = () => ({ deadline: Date.now() + 120_000 });
const unary = (client, method, message) => new Promise((resolve, reject) =>
  client[method](message, soon(), (error, answer) => error ? reject(error) : resolve(answer)));

const cluster = new v1.Cluster(at('consensus'), credentials);
const state = new v1.State(at('consensus'), credentials);
const cid = Buffer.from(hex, 'hex');

const before = await unary(state, 'Info', {});
const watching = state.Watch({ after: before.sequence, epoch: before.epoch }, soon());
const seen = new Promise((resolve, reject) => {
  watching.on('error', reject);
  watching.on('data', (message) => {
    for (const change of message.changes) if (change.put?.cid.equals(cid)) resolve(change);
  });
});

const pin = await unary(cluster, 'Pin', { cid, options: { name: 'from another language', metadata: { by: 'grpc-js' } } });
assert.deepEqual(pin.cid, cid);
console.log('ok pin');
const change = await seen;
assert.ok(change.sequence > before.sequence);
assert.equal(change.put.options.name, 'from another language');
console.log('ok watch');
watching.on('error', () => {}); // our own cancellation
watching.cancel();

const listed = [];
await new Promise((resolve, reject) => cluster.Allocations({}, soon())
  .on('data', (batch) => listed.push(...batch.pins)).on('error', reject).on('end', resolve));
assert.ok(listed.some((item) => item.cid.equals(cid) && item.options.metadata.by === 'grpc-js'));
console.log('ok list');

const status = await unary(cluster, 'Status', { cid });
assert.equal(status.peers.length, 1);
console.log('ok status');

await assert.rejects(unary(cluster, 'Pin', { cid: Buffer.from('00', 'hex') }), (error) => error.code === grpc.status.INVALID_ARGUMENT);
console.log('ok refusal');

const lines = [];
await new Promise((resolve, reject) => state.Export({}, soon())
  .on('data', (part) => lines.push(part.lines)).on('error', reject).on('end', resolve));
const exported = Buffer.concat(lines).toString().trim().split('\n').map((line) => JSON.parse(line));
assert.ok(exported.some((item) => item.name === 'from another language' && item.metadata.by === 'grpc-js'));
console.log('ok export');

const kept = exported.find((item) => item.name === 'from another language');
const imported = await new Promise((resolve, reject) => {
  const call = state.Import(soon(), (error, answer) => error ? reject(error) : resolve(answer));
  call.write({ options: {} });
  call.write({ data: Buffer.from(JSON.stringify({ ...kept, name: 'imported' }) + '\n') });
  call.end();
});
assert.equal(imported.pins, 1);
assert.equal((await unary(cluster, 'Allocation', { cid })).options.name, 'imported');
await assert.rejects(new Promise((resolve, reject) => {
  const call = state.Import(soon(), (error, answer) => error ? reject(error) : resolve(answer));
  call.write({ options: {} });
  call.write({ data: Buffer.from(JSON.stringify(kept) + '\n{"cid": "garbage"') });
  call.end();
}));
assert.equal((await unary(cluster, 'Allocation', { cid })).options.name, 'imported', 'a bad import must change nothing');
console.log('ok import');

for (const service of ['consensus', 'tracker', 'connector', 'monitor', 'gateway']) {
  const health = await unary(new Health(at(service), credentials), 'Check', { service: '' });
  assert.equal(health.status, 'SERVING', service);
  const reflection = new ServerReflection(at(service), credentials).ServerReflectionInfo(soon());
  const answer = await new Promise((resolve, reject) => {
    reflection.on('data', resolve).on('error', reject);
    reflection.write({ listServices: '' });
  });
  reflection.on('error', () => {});
  reflection.end();
  assert.ok(answer.listServicesResponse.service.some((item) => item.name === 'grpc.health.v1.Health'), service);
  console.log(`ok ${service} health and reflection`);
}
process.exit(0);
