// Times for a machine that has other things to do. A test ends by what it sees, or at the deadline of the side that asks; a peer that
// gives up before tells nothing but how busy the machine is.
const patience = 120000

export const soon = () => AbortSignal.timeout(patience)
export const times = { timeout: patience }
export const exchangeTimes = { messageReceiveTimeout: patience, messageSendTimeout: patience }
export const connectionTimes = {
  dialTimeout: patience,
  addressDialTimeout: patience,
  inboundUpgradeTimeout: patience,
  inboundStreamProtocolNegotiationTimeout: patience,
  outboundStreamProtocolNegotiationTimeout: patience,
  connectionCloseTimeout: patience
}

// Work of the libraries in the background, of which no command waits: its failure is told, and ends no peer.
process.on('unhandledRejection', failure => console.error('in the background:', failure))
