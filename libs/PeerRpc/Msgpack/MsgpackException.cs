namespace Cluster.PeerRpc.Msgpack;

/// <summary>Bytes of another peer that do not decode into what is expected (peer-rpc §2).</summary>
public sealed class MsgpackException(string message) : FormatException(message);
