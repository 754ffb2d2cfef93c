using Cluster.CrdtState;
using Crdt;
using Libp2p;

namespace Cluster.Consensus.CrdtReplication;

/// <summary>What comes to the replicated set beside the operations of this peer; carried out on the thread that commits.</summary>
internal abstract record CrdtInput
{
    /// <summary>Bytes that it brings along.</summary>
    internal virtual int Size => 0;

    /// <summary>A peer announced heads.</summary>
    internal sealed record Announcement(PeerId Author, ReadOnlyMemory<byte> Message) : CrdtInput;

    /// <summary>A block was fetched.</summary>
    internal sealed record Arrived(BlockId Block, ReadOnlyMemory<byte> Bytes, PeerId? From) : CrdtInput
    {
        internal override int Size => Bytes.Length;
    }

    /// <summary>A block could not be fetched.</summary>
    internal sealed record Unavailable(BlockId Block) : CrdtInput;

    /// <summary>The interval between two broadcasts is over.</summary>
    internal sealed record Rebroadcast : CrdtInput;

    /// <summary>What is known to be missing is to be asked for again.</summary>
    internal sealed record Repair : CrdtInput;

    /// <summary>Another state takes the place of the present one.</summary>
    internal sealed record Replace(CrdtReplacement Replacement, TaskCompletionSource<ulong> Done) : CrdtInput;
}
