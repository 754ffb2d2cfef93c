using System.Globalization;

namespace Cluster.Monitor.Informers;

/// <summary>How many pins wait here; peers with shorter queues are preferred.</summary>
/// <param name="bucket">Queues that differ by less weigh the same; 0 weighs each pin.</param>
/// <param name="timeToLive">How long it holds.</param>
/// <param name="queueSize">Asks the tracker for the queued pins; null when it does not answer.</param>
public sealed class PinQueueInformer(int bucket, TimeSpan timeToLive, Func<CancellationToken, Task<long?>> queueSize) : IInformer
{
    /// <inheritdoc/>
    public string Name => "pinqueue";

    /// <inheritdoc/>
    public TimeSpan TimeToLive => timeToLive;

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Finding>> FindAsync(CancellationToken cancellationToken) =>
        await queueSize(cancellationToken) is { } queued
            ? [new Finding(Name, queued.ToString(CultureInfo.InvariantCulture), true, bucket == 0 ? -queued : -(queued / bucket))]
            : [new Finding(Name, "", false)];
}
