using System.Diagnostics;
using System.Globalization;

namespace Cluster.Load;

/// <summary>Times of single requests, and what they add up to.</summary>
internal sealed class Figures
{
    private readonly List<long> ticks = [];

    public int Failed { get; private set; }

    public string? FirstFailure { get; private set; }

    public int Count => ticks.Count;

    public void Add(long elapsed) => ticks.Add(elapsed);

    public void Fail(string reason)
    {
        Failed++;
        FirstFailure ??= reason;
    }

    public void Merge(Figures other)
    {
        ticks.AddRange(other.ticks);
        Failed += other.Failed;
        FirstFailure ??= other.FirstFailure;
    }

    /// <summary>The time below which the share <paramref name="quantile"/> (0..1) of the requests stayed, in milliseconds.</summary>
    public double Milliseconds(double quantile)
    {
        if (ticks.Count == 0) return double.NaN;
        ticks.Sort();
        var index = Math.Clamp((int)Math.Ceiling(quantile * ticks.Count) - 1, 0, ticks.Count - 1);
        return ticks[index] * 1000.0 / Stopwatch.Frequency;
    }

    public string Line(string what, TimeSpan elapsed) => string.Create(CultureInfo.InvariantCulture,
        $"{what,-28} {Count / elapsed.TotalSeconds,10:N0}/s   p50 {Milliseconds(0.5),8:N2} ms   p99 {Milliseconds(0.99),8:N2} ms   max {Milliseconds(1),8:N2} ms   {Count} done, {Failed} failed");
}
