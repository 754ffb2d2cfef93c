using Cluster.PinState;
using Cluster.PinState.Transfer;
using Libp2p;

namespace Cluster.Consensus.Replication;

/// <summary>
/// A cluster of one: the log is the state's own change log, durable with each commit. Trusts nobody else, for there is nobody.
/// </summary>
public sealed class SinglePeerConsensus : IConsensus
{
    private readonly PeerId _self;
    private readonly GroupCommit _commits;

    /// <summary>Over a state that only this consensus writes.</summary>
    /// <param name="self">The peer.</param>
    /// <param name="state">The state.</param>
    /// <param name="committed">Told of operations that are durable, on the thread that commits: for the log.</param>
    public SinglePeerConsensus(PeerId self, PinStore state, Action<IReadOnlyList<StateOperation>>? committed = null)
    {
        _self = self;
        State = state;
        _commits = new GroupCommit(new StoreWriter(state, committed));
    }

    /// <inheritdoc/>
    public string Kind => "single";

    /// <inheritdoc/>
    public PinStore State { get; }

    /// <inheritdoc/>
    public Task ReadyAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public ValueTask<ulong> CommitAsync(IReadOnlyList<StateOperation> operations, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();

        // From here on the operations will be written: a caller that goes away does not undo what was accepted.
        return new ValueTask<ulong>(_commits.CommitAsync(operations).WaitAsync(cancellationToken));
    }

    /// <inheritdoc/>
    public async Task<ulong> ImportAsync(Stream input, StateImportOptions options, CancellationToken cancellationToken)
    {
        try
        {
            return await StateImport.RunAsync(State, input, options, cancellationToken);
        }
        catch (FormatException e)
        {
            throw new ClusterException(ClusterErrorKind.InvalidArgument, $"error importing state: {e.Message}", e);
        }
        catch (InvalidOperationException e)
        {
            throw new ClusterException(ClusterErrorKind.FailedPrecondition, e.Message, e);
        }
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<PeerId>> PeersAsync(CancellationToken cancellationToken) => new([_self]);

    /// <inheritdoc/>
    public bool IsTrusted(PeerId peer) => peer == _self;

    /// <inheritdoc/>
    public void Trust(PeerId peer)
    {
    }

    /// <inheritdoc/>
    public Task AddPeerAsync(PeerId peer, CancellationToken cancellationToken) => peer == _self
        ? Task.CompletedTask
        : throw new ClusterException(ClusterErrorKind.FailedPrecondition, "failed to find any peer in table");

    /// <inheritdoc/>
    public Task RemovePeerAsync(PeerId peer, CancellationToken cancellationToken) => throw new ClusterException(
        ClusterErrorKind.FailedPrecondition,
        peer == _self ? "cannot remove ourselves from a 1-peer cluster" : $"{peer} is not a member of this cluster");

    /// <inheritdoc/>
    public Task CleanAsync(CancellationToken cancellationToken)
    {
        using var replacement = State.BeginReplacement();
        replacement.Finish();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task ShutdownAsync(CancellationToken cancellationToken) =>
        Task.Run(_commits.Dispose, CancellationToken.None).WaitAsync(cancellationToken); // begun in any case

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await Task.Run(_commits.Dispose);
}
