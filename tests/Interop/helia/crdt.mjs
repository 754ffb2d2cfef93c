// A foreign cluster peer for the interop tests: libp2p, gossipsub and bitswap as their makers ship them, and the pinset's protocol written
// here from its description (spec crdt §4-§7, libp2p §12), with nothing of ours in it. Commands and answers as in ../js/peer.mjs.
import { createInterface } from 'node:readline'
import { createHeliaLight } from 'helia'
import { withLibp2pLight } from '@helia/libp2p'
import { withBitswap } from '@helia/bitswap'
import { gossipsub } from '@libp2p/gossipsub'
import { noise } from '@libp2p/noise'
import { yamux } from '@libp2p/yamux'
import { tcp } from '@libp2p/tcp'
import { identify } from '@libp2p/identify'
import { preSharedKey } from '@libp2p/pnet'
import { multiaddr } from '@multiformats/multiaddr'
import { soon, times, connectionTimes, exchangeTimes } from '../js/patience.mjs'
import { CID } from 'multiformats/cid'
import { base32upper } from 'multiformats/bases/base32'
import { sha256 } from 'multiformats/hashes/sha2'
import * as dagPb from '@ipld/dag-pb'
import xsalsa20 from 'xsalsa20'

// See ../js/peer.mjs.
xsalsa20(new Uint8Array(24), new Uint8Array(32)).update(new Uint8Array(8 << 20))

const [secret, topic] = process.argv.slice(2)

// Peers of a cluster name a message by the first 16 bytes of its author and its number.
function messageId (message) {
  const id = new Uint8Array(24)
  id.set(message.from.toMultihash().bytes.subarray(0, 16))
  new DataView(id.buffer).setBigUint64(16, message.sequenceNumber)
  return id
}

const helia = withBitswap(withLibp2pLight(createHeliaLight(), {
  addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
  transports: [tcp()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  connectionManager: connectionTimes,
  ...(secret ? { connectionProtector: preSharedKey({ psk: new TextEncoder().encode(`/key/swarm/psk/1.0.0/\n/base16/\n${secret}\n`) }) } : {}),
  peerDiscovery: [],
  services: { identify: identify(times), pubsub: gossipsub({ allowPublishToZeroTopicPeers: true, heartbeatInterval: 500, msgIdFn: messageId }) }
}), exchangeTimes)
await helia.start()
const pubsub = helia.libp2p.services.pubsub
const heads = []
pubsub.addEventListener('message', event => {
  const message = event.detail?.msg ?? event.detail
  if (message.topic === topic) heads.push(...decodeHeads(message.data))
})

// Protocol buffers, as much of them as is needed.
function varint (n) {
  const bytes = []
  for (n = BigInt(n); n > 127n; n >>= 7n) bytes.push(Number(n & 127n) | 128)
  return [...bytes, Number(n)]
}
const text = (value) => new TextEncoder().encode(value)
const bytes = (field, value) => [...varint(field << 3 | 2), ...varint(value.length), ...value]
const number = (field, value) => value === 0 ? [] : [...varint(field << 3), ...varint(value)]
function * fields (data) {
  const read = () => { let n = 0n; for (let shift = 0n; ; shift += 7n) { const b = data[at++]; n |= BigInt(b & 127) << shift; if (b < 128) return Number(n) } }
  let at = 0
  while (at < data.length) {
    const key = read()
    if ((key & 7) === 0) { yield [key >> 3, read()]; continue }
    const length = read()
    yield [key >> 3, data.subarray(at, at += length)]
  }
}

const base32 = (data) => base32upper.encode(data).slice(1)
const decodeHeads = (data) => [...fields(data)].flatMap(([, head]) => [...fields(head)].map(([, cid]) => CID.decode(cid).toString()))

async function get (cid) {
  const value = await helia.blockstore.get(cid, { signal: soon() })
  if (value instanceof Uint8Array) return value
  const parts = []
  for await (const part of value) parts.push(part)
  return Buffer.concat(parts)
}

const commands = {
  dial: async ({ address }) => (await helia.libp2p.dial(multiaddr(address), { signal: soon() })).remotePeer.toString(),
  subscribe: async ({ topics }) => { for (const each of topics) pubsub.subscribe(each); return true },
  subscribers: async ({ topic }) => pubsub.getSubscribers(topic).map(String),
  publish: async ({ topic, hex }) => { await pubsub.publish(topic, Buffer.from(hex, 'hex')); return true },
  heads: async () => heads,
  // Authors a node that pins a CID everywhere, keeps it, and announces it.
  pin: async ({ cid, name, priority, after }) => {
    const pinned = CID.parse(cid)
    // sint32: -1 is 1.
    const options = [...number(1, 1), ...number(2, 1), ...bytes(3, text(name))]
    const pin = Uint8Array.from([...bytes(1, pinned.bytes), ...number(4, 1), ...bytes(6, options), ...number(7, 1700000000)])
    const element = [...bytes(1, text('/' + base32(pinned.bytes))), ...bytes(3, pin)]
    const delta = Uint8Array.from([...bytes(1, element), ...number(3, priority)])
    const node = dagPb.encode({ Data: delta, Links: after.map(head => ({ Hash: CID.parse(head), Name: '', Tsize: 0 })) })
    const block = CID.createV1(dagPb.code, await sha256.digest(node))
    await helia.blockstore.put(block, node)
    await pubsub.publish(topic, Uint8Array.from(bytes(1, bytes(1, block.bytes))))
    return block.toString()
  },
  // Fetches a node and tells what it says.
  node: async ({ cid }) => {
    const { Data, Links } = dagPb.decode(await get(CID.parse(cid)))
    const delta = [...fields(Data)]
    return {
      links: Links.map(link => link.Hash.toString()),
      keys: delta.filter(([field]) => field === 1).map(([, element]) => new TextDecoder().decode([...fields(element)].find(([field]) => field === 1)[1])),
      priority: delta.find(([field]) => field === 3)?.[1] ?? 0
    }
  },
  key: async ({ cid }) => '/' + base32(CID.parse(cid).bytes)
}

const write = (message) => process.stdout.write(JSON.stringify(message) + '\n')
write({ peer: helia.libp2p.peerId.toString(), addresses: helia.libp2p.getMultiaddrs().map(String) })
for await (const line of createInterface({ input: process.stdin })) {
  const { id, cmd, ...rest } = JSON.parse(line)
  commands[cmd](rest).then(ok => write({ id, ok }), e => write({ id, error: `${e.name}: ${e.message}` }))
}
await helia.stop()
process.exit(0)
