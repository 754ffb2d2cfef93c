// A js-libp2p peer for the interop tests. Reads one JSON command a line from stdin and answers each with one JSON line:
// {"id":n,"ok":...} or {"id":n,"error":"..."}. The first line it writes tells its peer id and addresses. It ends with its stdin.
import { createHash } from 'node:crypto'
import { createInterface } from 'node:readline'
import { createLibp2p } from 'libp2p'
import { noise } from '@libp2p/noise'
import { tls } from '@libp2p/tls'
import { yamux } from '@libp2p/yamux'
import { tcp } from '@libp2p/tcp'
import { identify, identifyPush } from '@libp2p/identify'
import { ping } from '@libp2p/ping'
import { preSharedKey } from '@libp2p/pnet'
import { multiaddr } from '@multiformats/multiaddr'
import { soon, times, connectionTimes } from './patience.mjs'
import { peerIdFromString } from '@libp2p/peer-id'
import xsalsa20 from 'xsalsa20'

// xsalsa20 1.2 keeps a view of its WebAssembly memory in every cipher. Growing the memory detaches all of them, and each then grows
// it anew, until it is exhausted: a process dies after some megabytes. Grown once before the first connection, and then used in
// pieces that fit, it never has to.
const piece = 1 << 20
const update = xsalsa20.prototype.update
xsalsa20(new Uint8Array(24), new Uint8Array(32)).update(new Uint8Array(2 * piece))
xsalsa20.prototype.update = function (input, output = new Uint8Array(input.length)) {
  for (let n = 0; n < input.length; n += piece) update.call(this, input.subarray(n, n + piece), output.subarray(n, n + piece))
  return output
}

const [secret, security = 'noise'] = process.argv.slice(2)
const node = await createLibp2p({
  addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
  transports: [tcp()],
  connectionEncrypters: [security === 'tls' ? tls() : noise()],
  streamMuxers: [yamux()],
  ...(secret ? { connectionProtector: preSharedKey({ psk: new TextEncoder().encode(`/key/swarm/psk/1.0.0/\n/base16/\n${secret}\n`) }) } : {}),
  connectionManager: { inboundConnectionThreshold: 1000, ...connectionTimes },
  services: { identify: identify(times), identifyPush: identifyPush(times), ping: ping({ maxInboundStreams: 8, maxOutboundStreams: 8, ...times }) }
})

const many = { maxInboundStreams: 1000, maxOutboundStreams: 1000 }
const bytesOf = (data) => data instanceof Uint8Array ? data : data.subarray()

async function send (stream, bytes) {
  if (!stream.send(bytes)) await stream.onDrain()
}

// Sends back what comes, no faster than it is taken.
await node.handle('/test/echo/1.0.0', async (stream) => {
  for await (const data of stream) await send(stream, bytesOf(data))
  await stream.close()
}, many)

// Reads to the end, then tells length and hash: the other side must close one direction only.
await node.handle('/test/half-close/1.0.0', async (stream) => {
  const hash = createHash('sha256')
  let length = 0
  for await (const data of stream) { const b = bytesOf(data); hash.update(b); length += b.byteLength }
  await send(stream, new TextEncoder().encode(`${length} ${hash.digest('hex')}`))
  await stream.close()
}, many)

// Resets after the first bytes.
await node.handle('/test/reset/1.0.0', async (stream) => {
  for await (const _ of stream) { stream.abort(new Error('as asked')); return }
}, many)

// Waits for the other side to reset, and remembers that it did.
let resets = 0
await node.handle('/test/expect-reset/1.0.0', async (stream) => {
  try {
    await send(stream, new TextEncoder().encode('ready'))
    for await (const _ of stream) { /* nothing is due */ }
  } catch { resets++ }
}, many)

function pattern (length) {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + 7) % 251
  return bytes
}

async function echo (peer, protocol, total, chunkSize) {
  const stream = await node.dialProtocol(peerIdFromString(peer), protocol, many)
  const chunk = pattern(chunkSize)
  const sent = createHash('sha256'); const received = createHash('sha256')
  let back = 0
  const reading = (async () => {
    for await (const data of stream) { const b = bytesOf(data); received.update(b); back += b.byteLength }
  })()
  for (let n = 0; n < total; n += chunk.byteLength) {
    const part = chunk.subarray(0, Math.min(chunk.byteLength, total - n))
    sent.update(part)
    await send(stream, part)
  }
  await stream.close()
  await reading
  return { bytes: back, same: sent.digest('hex') === received.digest('hex') }
}

const commands = {
  dial: async ({ address }) => {
    const connection = await node.dial(multiaddr(address), { signal: soon() })
    return { peer: connection.remotePeer.toString(), encryption: connection.encryption, muxer: connection.multiplexer }
  },
  ping: async ({ peer }) => await node.services.ping.ping(peerIdFromString(peer)),
  identified: async ({ peer }) => {
    for (const late = soon(); !late.aborted;) {
      try {
        const known = await node.peerStore.get(peerIdFromString(peer))
        const agent = known.metadata.get('AgentVersion')
        if (agent != null) {
          return { agent: new TextDecoder().decode(agent), protocols: known.protocols, addresses: known.addresses.map(a => a.multiaddr.toString()), signed: known.peerRecordEnvelope != null }
        }
      } catch { /* not yet */ }
      await new Promise(resolve => setTimeout(resolve, 50))
    }
    throw new Error('never identified')
  },
  echo: async ({ peer, bytes, streams = 1, chunk = 65536 }) =>
    await Promise.all(Array.from({ length: streams }, () => echo(peer, '/test/echo/1.0.0', bytes, chunk))),
  halfClose: async ({ peer, bytes }) => {
    const stream = await node.dialProtocol(peerIdFromString(peer), '/test/half-close/1.0.0', many)
    const data = pattern(bytes)
    for (let n = 0; n < bytes; n += 65536) await send(stream, data.subarray(n, n + 65536))
    await stream.close()
    let text = ''
    for await (const part of stream) text += new TextDecoder().decode(bytesOf(part))
    return { text, expected: `${bytes} ${createHash('sha256').update(data).digest('hex')}` }
  },
  reset: async ({ peer }) => {
    const stream = await node.dialProtocol(peerIdFromString(peer), '/test/expect-reset/1.0.0', many)
    for await (const _ of stream) break
    stream.abort(new Error('as asked'))
    return true
  },
  expectReset: async ({ peer }) => {
    const stream = await node.dialProtocol(peerIdFromString(peer), '/test/reset/1.0.0', many)
    await send(stream, new Uint8Array(10))
    try {
      for await (const _ of stream) { /* nothing is due */ }
      return 'ended'
    } catch (e) { return e.name }
  },
  resets: async () => resets,
  connections: async () => node.getConnections().map(c => c.remotePeer.toString()),
  hangUp: async ({ peer }) => { await node.hangUp(peerIdFromString(peer)); return true }
}

const write = (message) => process.stdout.write(JSON.stringify(message) + '\n')
write({ peer: node.peerId.toString(), addresses: node.getMultiaddrs().map(String) })
for await (const line of createInterface({ input: process.stdin })) {
  const { id, cmd, ...rest } = JSON.parse(line)
  commands[cmd](rest).then(ok => write({ id, ok }), e => write({ id, error: `${e.name}: ${e.message}` }))
}
await node.stop()
process.exit(0)
