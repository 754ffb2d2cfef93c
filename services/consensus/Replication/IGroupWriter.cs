namespace Cluster.Consensus.Replication;

/// <summary>What a <see cref="GroupCommit"/> writes with. All calls come from its thread.</summary>
internal interface IGroupWriter
{
    /// <summary>Number of the state's last change.</summary>
    ulong Sequence { get; }

    /// <summary>
    /// Writes requests durably as one, in order, and with them whatever else waits here; gives the number of the state's last change.
    /// Called without requests after <see cref="GroupCommit.Ring"/>. When it throws, nothing was written.
    /// </summary>
    ulong Write(IReadOnlyList<CommitRequest> requests);

    /// <summary>Called after a write, when those who waited for it have their answer.</summary>
    void Answered();
}

/// <summary>Operations of one caller.</summary>
internal sealed class CommitRequest(IReadOnlyList<StateOperation> operations, IReadOnlyList<ReadOnlyMemory<byte>>? values, long arrived)
{
    /// <summary>What is to be done, in order.</summary>
    internal IReadOnlyList<StateOperation> Operations { get; } = operations;

    /// <summary>What the caller's thread prepared for each operation, if the writer wants that.</summary>
    internal IReadOnlyList<ReadOnlyMemory<byte>>? Values { get; } = values;

    /// <summary>Timestamp of the clock when it was accepted.</summary>
    internal long Arrived { get; } = arrived;

    /// <summary>The answer.</summary>
    internal TaskCompletionSource<ulong> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
