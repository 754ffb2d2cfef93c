using Cluster.Model;

namespace Cluster.Monitor.Core;

/// <summary>The last metrics of one name and peer, newest first.</summary>
internal sealed class MetricWindow
{
    /// <summary>Metrics kept of a name and peer (spec/behaviour.md 17.1).</summary>
    public const int Size = 25;

    private readonly Metric[] _ring = new Metric[Size];
    private int _next;

    public int Count { get; private set; }

    /// <summary>The metric received last. Of a window that is not empty.</summary>
    public Metric Newest => _ring[(_next + Size - 1) % Size];

    public void Add(Metric metric)
    {
        _ring[_next] = metric;
        _next = (_next + 1) % Size;
        Count = Math.Min(Count + 1, Size);
    }

    public IEnumerable<Metric> NewestFirst()
    {
        for (var back = 1; back <= Count; back++)
            yield return _ring[(_next + Size - back) % Size];
    }
}
