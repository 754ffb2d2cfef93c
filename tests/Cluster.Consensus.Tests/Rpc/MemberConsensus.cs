using Cluster.Consensus.Replication;
using Cluster.PinState;
using Cluster.PinState.Transfer;
using Libp2p;

namespace Cluster.Consensus.Tests.Rpc;

/// <summary>One peer's log, with members and trust as a test says; changes of the members are those of crdt.</summary>
internal sealed class MemberConsensus(IConsensus inner, PeerId self) : IConsensus
{
    public HashSet<PeerId> Members { get; } = [self];

    public HashSet<PeerId> Trusted { get; } = [self];

    public string Kind => "crdt";

    public PinStore State => inner.State;

    public Task ReadyAsync(CancellationToken cancellationToken) => inner.ReadyAsync(cancellationToken);

    public ValueTask<ulong> CommitAsync(IReadOnlyList<StateOperation> operations, CancellationToken cancellationToken) =>
        inner.CommitAsync(operations, cancellationToken);

    public Task<ulong> ImportAsync(Stream input, StateImportOptions options, CancellationToken cancellationToken) =>
        inner.ImportAsync(input, options, cancellationToken);

    public ValueTask<IReadOnlyList<PeerId>> PeersAsync(CancellationToken cancellationToken) => new([.. Members.Order()]);

    public bool IsTrusted(PeerId peer) => Trusted.Contains(peer);

    public void Trust(PeerId peer) => Trusted.Add(peer);

    public Task AddPeerAsync(PeerId peer, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task RemovePeerAsync(PeerId peer, CancellationToken cancellationToken) =>
        throw new ClusterException(ClusterErrorKind.FailedPrecondition, "crdt consensus component cannot remove peers");

    public Task CleanAsync(CancellationToken cancellationToken) => inner.CleanAsync(cancellationToken);

    public Task ShutdownAsync(CancellationToken cancellationToken) => inner.ShutdownAsync(cancellationToken);

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
