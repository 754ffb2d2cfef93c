using System.Globalization;

namespace Cluster.Monitor.Informers;

/// <summary>
/// How many pins the daemon has. No configuration of the original switches it on (spec/config.md 3.10), so nothing does here; it
/// exists for peers that are assembled otherwise.
/// </summary>
/// <param name="timeToLive">How long it holds; the original's default is 10 s.</param>
/// <param name="count">Counts the daemon's pins; null when it does not answer.</param>
public sealed class NumPinInformer(TimeSpan timeToLive, Func<CancellationToken, Task<long?>> count) : IInformer
{
    /// <inheritdoc/>
    public string Name => "numpin";

    /// <inheritdoc/>
    public TimeSpan TimeToLive => timeToLive;

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Finding>> FindAsync(CancellationToken cancellationToken) =>
        await count(cancellationToken) is { } pins
            ? [new Finding(Name, pins.ToString(CultureInfo.InvariantCulture), true)]
            : [new Finding(Name, "", false)];
}
