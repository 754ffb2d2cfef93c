namespace Cluster.Consensus.Replication;

/// <summary>Why a batch was committed (spec/behaviour.md 12.1).</summary>
internal enum CollectionEnd
{
    /// <summary>Enough items were there.</summary>
    Size,

    /// <summary>The first item had waited long enough.</summary>
    Age,

    /// <summary>The peer stops.</summary>
    Shutdown,
}

/// <summary>
/// How long operations wait for others to share a write with. Without it each write takes what waits at the moment. Whatever is set, an
/// answer means that the operation is durable.
/// </summary>
/// <param name="Items">Operations that end the wait.</param>
/// <param name="Age">Wait of the first operation at most.</param>
/// <param name="Ended">Told why a batch was committed and of how many operations it is.</param>
internal sealed record CommitCollection(int Items, TimeSpan Age, Action<CollectionEnd, int>? Ended = null);

/// <summary>How many operations may wait, and what is said to those beyond.</summary>
/// <param name="Operations">Operations that may wait.</param>
/// <param name="Refusal">The text for those that may not.</param>
/// <param name="Closed">The text for those that come when the peer stops.</param>
internal sealed record CommitQueue(int Operations, string Refusal, string Closed)
{
    /// <summary>The bound that holds unless another one is configured.</summary>
    internal static CommitQueue Default { get; } = new(
        100_000, "more than 100000 operations are waiting to be committed. Try again later", "shutting down. Pin could not be committed");
}
