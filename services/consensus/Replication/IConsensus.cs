using Cluster.Model;
using Cluster.PinState;
using Cluster.PinState.Transfer;
using Ipld;
using Libp2p;

namespace Cluster.Consensus.Replication;

/// <summary>
/// The replicated log: how the peers of a cluster agree on the pinset (spec/behaviour.md 12). Whatever the kind, each change that
/// takes effect on this peer - made here or elsewhere - is written to <see cref="State"/>, numbered there and told to its followers.
/// </summary>
public interface IConsensus : IAsyncDisposable
{
    /// <summary>"single", "crdt" or "raft".</summary>
    string Kind { get; }

    /// <summary>This peer's replica.</summary>
    PinStore State { get; }

    /// <summary>Completes when commits are possible and the replica is usable.</summary>
    /// <exception cref="ClusterException">It will not become ready (no leader in time); the text says why.</exception>
    Task ReadyAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Carries operations out, in order and as one. Completes when they are durable here (and, with raft, on a majority).
    /// Operations of concurrent calls share a batch; a lone call waits for nobody.
    /// </summary>
    /// <returns>The number of the state's last change after the operations.</returns>
    ValueTask<ulong> CommitAsync(IReadOnlyList<StateOperation> operations, CancellationToken cancellationToken);

    /// <summary>Replaces the pinset by an exported one; nothing changes when the input is bad.</summary>
    /// <returns>Pins imported.</returns>
    Task<ulong> ImportAsync(Stream input, StateImportOptions options, CancellationToken cancellationToken);

    /// <summary>The members, this peer included, sorted by id.</summary>
    ValueTask<IReadOnlyList<PeerId>> PeersAsync(CancellationToken cancellationToken);

    /// <summary>Whether operations of a peer are accepted.</summary>
    bool IsTrusted(PeerId peer);

    /// <summary>Accepts operations of a peer from now on.</summary>
    void Trust(PeerId peer);

    /// <summary>Makes a peer a member, where that takes a decision.</summary>
    Task AddPeerAsync(PeerId peer, CancellationToken cancellationToken);

    /// <summary>Takes a member out.</summary>
    Task RemovePeerAsync(PeerId peer, CancellationToken cancellationToken);

    /// <summary>Wipes the replica and the log; the peer starts anew with the next start.</summary>
    Task CleanAsync(CancellationToken cancellationToken);

    /// <summary>Finishes what was accepted and lets go of everything. Further commits fail.</summary>
    Task ShutdownAsync(CancellationToken cancellationToken);
}

/// <summary>What an operation does.</summary>
public enum OperationKind
{
    /// <summary>Adds or replaces a pin.</summary>
    Pin,

    /// <summary>Takes a pin out; harmless when it is not there.</summary>
    Unpin,
}

/// <summary>One entry of the log.</summary>
/// <param name="Kind">What it does.</param>
/// <param name="Cid">To which CID.</param>
/// <param name="Pin">The pin; null for an unpin.</param>
public readonly record struct StateOperation(OperationKind Kind, Cid Cid, Pin? Pin)
{
    /// <summary>Adds or replaces a pin.</summary>
    public static StateOperation Put(Pin pin) => new(OperationKind.Pin, pin.Cid, pin);

    /// <summary>Takes a pin out.</summary>
    public static StateOperation Remove(Cid cid) => new(OperationKind.Unpin, cid, null);
}
