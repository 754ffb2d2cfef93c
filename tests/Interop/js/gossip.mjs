// A js-libp2p peer that gossips, for the interop tests. Commands and answers as in peer.mjs.
import { createInterface } from 'node:readline'
import { createLibp2p } from 'libp2p'
import { noise } from '@libp2p/noise'
import { yamux } from '@libp2p/yamux'
import { tcp } from '@libp2p/tcp'
import { identify, identifyPush } from '@libp2p/identify'
import { gossipsub } from '@libp2p/gossipsub'
import { preSharedKey } from '@libp2p/pnet'
import { multiaddr } from '@multiformats/multiaddr'
import { soon, times, connectionTimes } from './patience.mjs'
import xsalsa20 from 'xsalsa20'

// See peer.mjs.
xsalsa20(new Uint8Array(24), new Uint8Array(32)).update(new Uint8Array(8 << 20))

const [secret, heartbeat = '500'] = process.argv.slice(2)

// Peers of a cluster name a message by the first 16 bytes of its author and its number.
function messageId (message) {
  const id = new Uint8Array(24)
  id.set(message.from.toMultihash().bytes.subarray(0, 16))
  new DataView(id.buffer).setBigUint64(16, message.sequenceNumber)
  return id
}

const node = await createLibp2p({
  addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
  transports: [tcp()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  connectionManager: connectionTimes,
  ...(secret ? { connectionProtector: preSharedKey({ psk: new TextEncoder().encode(`/key/swarm/psk/1.0.0/\n/base16/\n${secret}\n`) }) } : {}),
  services: {
    identify: identify(times),
    identifyPush: identifyPush(times),
    pubsub: gossipsub({ allowPublishToZeroTopicPeers: true, floodPublish: false, heartbeatInterval: Number(heartbeat), msgIdFn: messageId })
  }
})
const pubsub = node.services.pubsub
const received = new Map()
pubsub.addEventListener('message', event => {
  const message = event.detail?.msg ?? event.detail
  if (!received.has(message.topic)) received.set(message.topic, [])
  received.get(message.topic).push(new TextDecoder().decode(message.data))
})

const commands = {
  dial: async ({ address }) => (await node.dial(multiaddr(address), { signal: soon() })).remotePeer.toString(),
  subscribe: async ({ topic }) => { pubsub.subscribe(topic); return true },
  unsubscribe: async ({ topic }) => { pubsub.unsubscribe(topic); return true },
  publish: async ({ topic, texts }) => {
    for (const text of texts) await pubsub.publish(topic, new TextEncoder().encode(text))
    return texts.length
  },
  received: async ({ topic }) => received.get(topic) ?? [],
  mesh: async ({ topic }) => pubsub.getMeshPeers(topic).map(String),
  subscribers: async ({ topic }) => pubsub.getSubscribers(topic).map(String)
}

const write = (message) => process.stdout.write(JSON.stringify(message) + '\n')
write({ peer: node.peerId.toString(), addresses: node.getMultiaddrs().map(String) })
for await (const line of createInterface({ input: process.stdin })) {
  const { id, cmd, ...rest } = JSON.parse(line)
  commands[cmd](rest).then(ok => write({ id, ok }), e => write({ id, error: `${e.name}: ${e.message}` }))
}
await node.stop()
process.exit(0)
