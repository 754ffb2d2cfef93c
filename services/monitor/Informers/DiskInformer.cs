using System.Globalization;

namespace Cluster.Monitor.Informers;

/// <summary>Which size the disk informer publishes.</summary>
public enum DiskMetric
{
    /// <summary><c>freespace</c>: what may still be stored; the more the better.</summary>
    FreeSpace,

    /// <summary><c>reposize</c>: what is stored; the less the better.</summary>
    RepoSize,
}

/// <summary>The daemon's free or used space, in bytes.</summary>
/// <param name="metric">Which.</param>
/// <param name="timeToLive">How long it holds.</param>
/// <param name="daemon">Asks the daemon; null when it does not answer.</param>
/// <param name="published">Told the weight of each run, for the gauge <c>informer_disk</c>.</param>
public sealed class DiskInformer(
    DiskMetric metric, TimeSpan timeToLive, Func<CancellationToken, Task<(ulong RepoSize, ulong StorageMax)?>> daemon, Action<long>? published = null)
    : IInformer
{
    /// <inheritdoc/>
    public string Name => "disk";

    /// <inheritdoc/>
    public TimeSpan TimeToLive => timeToLive;

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Finding>> FindAsync(CancellationToken cancellationToken)
    {
        var name = metric == DiskMetric.FreeSpace ? "freespace" : "reposize";
        if (await daemon(cancellationToken) is not { } size)
            return [new Finding(name, "0", false)];
        var finding = metric == DiskMetric.RepoSize ? Used(name, size.RepoSize) : Free(name, size.RepoSize, size.StorageMax);
        published?.Invoke(finding.Weight);
        return [finding];
    }

    private static Finding Used(string name, ulong bytes) => new(name, Text(bytes), true, -Weight(bytes));

    // A full repository has no free space to tell of: this peer is not allocated to then (spec/behaviour.md 18).
    private static Finding Free(string name, ulong used, ulong max) =>
        max > used ? new(name, Text(max - used), true, Weight(max - used)) : new(name, "0", false);

    private static long Weight(ulong bytes) => (long)Math.Min(bytes, long.MaxValue);

    private static string Text(ulong bytes) => bytes.ToString(CultureInfo.InvariantCulture);
}
