// A Helia peer that exchanges blocks over bitswap, for the interop tests. Commands and answers as in ../js/peer.mjs.
import { createHash } from 'node:crypto'
import { createInterface } from 'node:readline'
import { createHeliaLight } from 'helia'
import { withLibp2pLight } from '@helia/libp2p'
import { withBitswap } from '@helia/bitswap'
import { noise } from '@libp2p/noise'
import { yamux } from '@libp2p/yamux'
import { tcp } from '@libp2p/tcp'
import { identify } from '@libp2p/identify'
import { preSharedKey } from '@libp2p/pnet'
import { multiaddr } from '@multiformats/multiaddr'
import { soon, times, connectionTimes, exchangeTimes } from '../js/patience.mjs'
import { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'
import * as dagPb from '@ipld/dag-pb'
import xsalsa20 from 'xsalsa20'

// See ../js/peer.mjs.
xsalsa20(new Uint8Array(24), new Uint8Array(32)).update(new Uint8Array(8 << 20))

const [secret] = process.argv.slice(2)
const helia = withBitswap(withLibp2pLight(createHeliaLight(), {
  addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
  transports: [tcp()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  connectionManager: connectionTimes,
  ...(secret ? { connectionProtector: preSharedKey({ psk: new TextEncoder().encode(`/key/swarm/psk/1.0.0/\n/base16/\n${secret}\n`) }) } : {}),
  peerDiscovery: [],
  services: { identify: identify(times) }
}), exchangeTimes)
await helia.start()

async function get (cid) {
  const value = await helia.blockstore.get(cid, { signal: soon() })
  if (value instanceof Uint8Array) return value
  const parts = []
  for await (const part of value) parts.push(part)
  return Buffer.concat(parts)
}

async function put (bytes, codec) {
  const cid = CID.createV1(codec, await sha256.digest(bytes))
  await helia.blockstore.put(cid, bytes)
  return cid
}

const commands = {
  dial: async ({ address }) => (await helia.libp2p.dial(multiaddr(address), { signal: soon() })).remotePeer.toString(),
  // A dag-pb tree: a root, nodes beneath it, and leaves beneath those; as many blocks as asked for.
  make: async ({ blocks, width }) => {
    let level = []
    let made = 0
    const inner = Math.ceil((blocks - 1) / (width + 1))
    for (let i = 0; i < inner; i++) {
      const links = []
      const leaves = Math.min(width, blocks - 1 - inner - i * width)
      for (let k = 0; k < leaves; k++) {
        const data = createHash('sha256').update(`leaf ${i} ${k}`).digest()
        const bytes = dagPb.encode({ Data: Buffer.concat(Array(1 + (made % 60)).fill(data)), Links: [] })
        links.push({ Name: '', Hash: await put(bytes, dagPb.code), Tsize: bytes.length })
        made++
      }
      const bytes = dagPb.encode({ Data: new Uint8Array([i & 255]), Links: links })
      level.push({ Name: '', Hash: await put(bytes, dagPb.code), Tsize: bytes.length })
      made++
    }
    const root = await put(dagPb.encode({ Links: level }), dagPb.code)
    return { root: root.toString(), blocks: made + 1 }
  },
  // Fetches all of a DAG, a level at a time.
  fetch: async ({ root }) => {
    let level = [CID.parse(root)]
    let blocks = 0
    const hash = createHash('sha256')
    while (level.length > 0) {
      const all = await Promise.all(level.map(get))
      const next = []
      for (const bytes of all) {
        blocks++
        hash.update(bytes)
        for (const link of dagPb.decode(bytes).Links) next.push(link.Hash)
      }
      level = next
    }
    return { blocks, hash: hash.digest('hex') }
  }
}

const write = (message) => process.stdout.write(JSON.stringify(message) + '\n')
write({ peer: helia.libp2p.peerId.toString(), addresses: helia.libp2p.getMultiaddrs().map(String) })
for await (const line of createInterface({ input: process.stdin })) {
  const { id, cmd, ...rest } = JSON.parse(line)
  commands[cmd](rest).then(ok => write({ id, ok }), e => write({ id, error: `${e.name}: ${e.message}` }))
}
await helia.stop()
process.exit(0)
