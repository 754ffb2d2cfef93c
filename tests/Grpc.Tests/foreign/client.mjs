// Calls the test service with the gRPC library of Node: one line a check, "ok <name>" or "not ok <name>: <why>".
// Usage: node client.mjs HOST:PORT PROTO
import assert from 'node:assert/strict';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';

const [address, proto] = process.argv.slice(2);
const { Echo } = grpc.loadPackageDefinition(loader.loadSync(proto, { longs: Number })).grpc.tests;
const client = new Echo(address, grpc.credentials.createInsecure());
const soon = () => ({ deadline: Date.now() + 60_000 });

const unary = (method, message, metadata = new grpc.Metadata(), options = soon(), on = client) => {
  let call;
  const result = new Promise((resolve) => {
    const seen = {};
    call = on[method](message, metadata, options, (error, answer) => { seen.error = error; seen.answer = answer; });
    call.on('metadata', (headers) => { seen.headers = headers; });
    call.on('status', (status) => { seen.status = status; resolve(seen); });
  });
  return { call, result };
};

const collect = (stream) => new Promise((resolve, reject) => {
  const items = [];
  stream.on('data', (item) => items.push(item));
  stream.on('error', reject);
  stream.on('status', (status) => resolve({ items, status }));
});

const checks = {
  async unary() {
    const { answer, status } = await unary('Say', { text: 'grüße' }).result;
    assert.equal(answer.text, 'grüße');
    assert.equal(status.code, grpc.status.OK);
  },
  async 'client streaming'() {
    const sum = await new Promise((resolve, reject) => {
      const call = client.Sum(new grpc.Metadata(), soon(), (error, answer) => error ? reject(error) : resolve(answer));
      for (let i = 1; i <= 100; i++) call.write({ number: i });
      call.end();
    });
    assert.equal(sum.number, 5050);
  },
  async 'server streaming'() {
    const { items, status } = await collect(client.Count({ number: 500 }, new grpc.Metadata(), soon()));
    assert.deepEqual(items.map((item) => item.number), Array.from({ length: 500 }, (_, i) => i + 1));
    assert.deepEqual(status.metadata.get('counted'), ['500']);
  },
  async 'duplex streaming'() {
    const call = client.Chat(new grpc.Metadata(), soon());
    const all = collect(call);
    for (const text of ['one', 'two', 'three']) {
      const answer = new Promise((resolve) => call.once('data', resolve));
      call.write({ text });
      assert.equal((await answer).text, text.toUpperCase());
    }
    call.end();
    assert.equal((await all).items.length, 3);
  },
  async deadline() {
    // Whether the server has seen the call by then is a matter of chance.
    const { status } = await unary('Hang', { text: 'foreign client deadline' }, new grpc.Metadata(), { deadline: Date.now() + 300 }).result;
    assert.equal(status.code, grpc.status.DEADLINE_EXCEEDED);
    // Told to the server alone: this side cannot end the call before it is there.
    const limit = new grpc.Metadata();
    limit.set('grpc-timeout', '300m');
    const { status: told } = await unary('Hang', { text: 'foreign deadline' }, limit, {}).result;
    assert.equal(told.code, grpc.status.DEADLINE_EXCEEDED);
    const { answer } = await unary('Cancelled', { text: 'foreign deadline' }).result;
    assert.equal(answer.number, 1);
  },
  async cancellation() {
    const { call, result } = unary('Hang', { text: 'foreign cancel' });
    await unary('Begun', { text: 'foreign cancel' }).result;
    call.cancel();
    assert.equal((await result).status.code, grpc.status.CANCELLED);
    const { answer } = await unary('Cancelled', { text: 'foreign cancel' }).result;
    assert.equal(answer.number, 1);
  },
  async 'status details'() {
    const { error, status } = await unary('Fail', { text: 'nicht heute: ü % \n' }).result;
    assert.equal(error.code, grpc.status.FAILED_PRECONDITION);
    assert.equal(error.details, 'nicht heute: ü % \n');
    assert.deepEqual([...status.metadata.get('grpc-status-details-bin')[0]], [8, 9, 18, 2, 110, 111]);
    assert.deepEqual(status.metadata.get('why'), ['because']);
  },
  async 'metadata and trailers'() {
    const metadata = new grpc.Metadata();
    metadata.add('x-text', 'one');
    metadata.add('x-text', 'two');
    metadata.add('x-blob-bin', Buffer.from([0, 255, 7]));
    const { headers, status } = await unary('Say', { text: '' }, metadata).result;
    assert.equal(headers.get('x-text').join(',').replaceAll(' ', ''), 'one,two');
    assert.deepEqual([...headers.get('x-blob-bin')[0]], [0, 255, 7]);
    assert.deepEqual([...status.metadata.get('trailer-x-blob-bin')[0]], [0, 255, 7]);
  },
  async gzip() {
    const compressing = new Echo(address, grpc.credentials.createInsecure(), {
      'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip,
    });
    const text = 'a'.repeat(100_000);
    const { answer, headers } = await unary('Say', { text }, new grpc.Metadata(), soon(), compressing).result;
    assert.equal(answer.text, text);
    assert.deepEqual(headers.get('request-encoding'), ['gzip']);
    compressing.close();
  },
  async interceptors() {
    const intercepted = new Echo(address, grpc.credentials.createInsecure(), {
      interceptors: [(options, next) => new grpc.InterceptingCall(next(options), {
        start(metadata, listener, start) {
          metadata.set('x-text', 'intercepted');
          start(metadata, listener);
        },
      })],
    });
    const { headers } = await unary('Say', { text: '' }, new grpc.Metadata(), soon(), intercepted).result;
    assert.deepEqual(headers.get('x-text'), ['intercepted']);
    intercepted.close();
  },
  async 'large message'() {
    const text = 'x'.repeat(3 << 20);
    const { answer } = await unary('Say', { text }).result;
    assert.equal(answer.text.length, text.length);
  },
  async 'too large message'() {
    const { status } = await unary('Say', { text: 'x'.repeat(5 << 20) }).result;
    assert.equal(status.code, grpc.status.RESOURCE_EXHAUSTED);
  },
};

for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
    console.log(`ok ${name}`);
  } catch (error) {
    console.log(`not ok ${name}: ${String(error.stack ?? error).replaceAll('\n', ' | ')}`);
  }
}
client.close();
