// Repeats the recorded calls of @nftstorage/ipfs-cluster (unchanged) against a peer and compares what the client returns.
//   node nftstorage.mjs RECORDING URL [USER:PASSWORD]
// One line a call: "ok NAME", "skip NAME: why" or "FAIL NAME" with what differs. Exit code 1 when a call failed.
import { readFile } from 'node:fs/promises'
import { Blob, File } from 'node:buffer'
import { isDeepStrictEqual } from 'node:util'
import { Cluster } from '@nftstorage/ipfs-cluster'

globalThis.File ??= File

const [recording, url, user] = process.argv.slice(2)
const { cases } = JSON.parse(await readFile(recording, 'utf8'))
const cluster = new Cluster(url, { headers: user ? { Authorization: 'Basic ' + Buffer.from(user).toString('base64') } : {} })

const plain = {
  name: 'name', mode: 'mode', 'pin-update': 'pinUpdate', chunker: 'chunker', hash: 'hashFun', layout: 'layout', format: 'format'
}
const numbers = { 'replication-min': 'replicationFactorMin', 'replication-max': 'replicationFactorMax', 'shard-size': 'shardSize', 'cid-version': 'cidVersion' }
const flags = {
  local: 'local', recursive: 'recursive', hidden: 'hidden', wrap: 'wrap', shard: 'shard', 'stream-channels': 'streamChannels', 'raw-leaves': 'rawLeaves',
  progress: 'progress', 'no-copy': 'noCopy'
}

/** The options of the client that make the recorded query. */
function optionsOf (query) {
  const options = {}
  for (const [name, value] of query) {
    if (name in plain) options[plain[name]] = value
    else if (name in numbers) options[numbers[name]] = Number(value)
    else if (name in flags) options[flags[name]] = value === 'true'
    else if (name === 'user-allocations') options.userAllocations = value === '' ? [] : value.split(',')
    else if (name === 'origins') options.origins = value.split(',')
    else if (name === 'expire-at') options.expireAt = new Date(value)
    else if (name.startsWith('meta-')) (options.metadata ??= {})[name.slice(5)] = value
    else if (name === 'filter') options.filter = value
    else if (name === 'cids') options.cids = value.split(',')
  }
  return options
}

/** The files of a recorded form. */
function filesOf (request) {
  const body = request.body.base64 !== undefined ? Buffer.from(request.body.base64, 'base64') : Buffer.from(request.body.text)
  const type = new Map(request.headers).get('content-type'), boundary = '--' + /boundary=(.*)$/.exec(type)[1]
  const files = []
  for (let at = body.indexOf(boundary); at >= 0;) {
    const next = body.indexOf(boundary, at + boundary.length)
    if (next < 0) break
    const part = body.subarray(at + boundary.length + 2, next - 2), blank = part.indexOf('\r\n\r\n')
    const name = /filename="([^"]*)"/.exec(part.subarray(0, blank).toString())?.[1]
    files.push({ name, content: part.subarray(blank + 4) })
    at = next
  }
  return files
}

async function perform (recorded) {
  const { request } = recorded.exchanges[0], target = new URL(request.target, 'http://recorded'), options = optionsOf(target.searchParams)
  const path = decodeURIComponent(target.pathname).split('/').slice(1)
  const call = recorded.call.split(/[( ]/)[0]
  switch (call) {
    case 'version': return cluster.version()
    case 'info': return cluster.info()
    case 'peerList': return cluster.peerList()
    case 'metricNames': return cluster.metricNames()
    case 'add': { const [file] = filesOf(request); return cluster.add(new File([file.content], file.name), options) }
    case 'addCAR': { const [file] = filesOf(request); return cluster.addCAR(new Blob([file.content]), options) }
    case 'addDirectory': return cluster.addDirectory(filesOf(request).map(file => new File([file.content], file.name)), options)
    case 'pin': return cluster.pin(path[1].startsWith('ip') && path.length > 2 ? '/' + path.slice(1).join('/') : path[1], options)
    case 'unpin': return cluster.unpin(path[1].startsWith('ip') && path.length > 2 ? '/' + path.slice(1).join('/') : path[1])
    case 'status': return cluster.status(path[1], options)
    case 'statusAll': return cluster.statusAll(options)
    case 'allocation': return cluster.allocation(path[1])
    case 'recover': return cluster.recover(path[1], options)
    default: throw new Error(`unknown call ${recorded.call}`)
  }
}

/** What differs from peer to peer becomes a mark. */
function normalise (value, key) {
  if (value instanceof Date) return '<time>'
  if (typeof value === 'string') {
    if (key === 'peerName') return '<name>'
    if (/^\d{4}-\d\d-\d\dT/.test(value) || value === '<time>') return '<time>'
    if (key === 'version' || value === '<version>' || /^\d+\.\d+\.\d+/.test(value)) return '<version>'
    return value.replace(/(12D3KooW[1-9A-HJ-NP-Za-km-z]{44}|Qm[1-9A-HJ-NP-Za-km-z]{44})/g, (id) => (key === 'cid' || id.startsWith('Qm') ? id : '<peer>'))
  }
  if (Array.isArray(value)) {
    if (/addresses$/i.test(key ?? '')) return '<addresses>'
    if (value.every(x => typeof x === 'string')) return value.map(x => normalise(x, key)).sort()
    return value.map(x => normalise(x, key))
  }
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).filter(([, x]) => x !== undefined).map(([k, x]) => [normalise(k), normalise(x, k)]).sort(([a], [b]) => (a < b ? -1 : 1)))
}

const outcome = async (recorded) => {
  try {
    return JSON.parse(JSON.stringify(await perform(recorded)))
  } catch (error) {
    return error.response ? { name: error.name, message: error.message, status: error.response.status } : { name: error.name, message: error.message }
  }
}

let failed = 0
for (const recorded of cases) {
  const name = `#${recorded.seq} ${recorded.call}`
  const expected = recorded.result ?? recorded.error
  if (recorded.call.startsWith('statusAll') && !expected.status) {
    // What is listed depends on everything that was done to the recorded peer before: here it only has to be a list.
    const listed = await outcome(recorded)
    // For an empty list the original answers 204 without a body, which this client takes for an error.
    if (Array.isArray(listed) || listed.status === 204) console.log(`ok ${name} (any list)`)
    else { failed++; console.log(`FAIL ${name}: no list: ${JSON.stringify(listed)}`) }
    continue
  }
  const want = JSON.stringify(normalise(expected))
  let got
  // Statuses settle in their own time.
  for (const end = Date.now() + (/^(status|recover)/.test(recorded.call) ? 20000 : 0); ;) {
    got = JSON.stringify(normalise(await outcome(recorded)))
    if (got === want || Date.now() >= end) break
    await new Promise(resolve => setTimeout(resolve, 200))
  }
  if (isDeepStrictEqual(got, want)) console.log(`ok ${name}`)
  else { failed++; console.log(`FAIL ${name}\n    expected ${want}\n    got      ${got}`) }
}
console.log(`${cases.length - failed} passed, ${failed} failed`)
process.exit(failed ? 1 : 0)
