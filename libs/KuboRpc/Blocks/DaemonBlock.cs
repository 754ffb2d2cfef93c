using Ipld;

namespace KuboRpc;

/// <summary>A block on its way to the daemon.</summary>
public readonly record struct DaemonBlock(Cid Cid, ReadOnlyMemory<byte> Data);

/// <summary>A stream of blocks that held none.</summary>
public sealed class EmptyBlockStreamException() : KuboException("BlockStream: no blocks to peek in blocks channel");
