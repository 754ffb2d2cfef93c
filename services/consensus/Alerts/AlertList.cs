using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Alerts;

/// <summary>The alerts since the start. When more than 1000 have gathered the list begins anew (spec/behaviour.md 9.1).</summary>
public sealed class AlertList
{
    private const int Full = 1000;

    private readonly Lock _lock = new();
    private readonly List<V1.Alert> _alerts = [];

    /// <summary>Adds an alert.</summary>
    public void Add(V1.Alert alert)
    {
        lock (_lock)
        {
            if (_alerts.Count > Full)
                _alerts.Clear();
            _alerts.Add(alert);
        }
    }

    /// <summary>All of them, the newest first.</summary>
    public IReadOnlyList<V1.Alert> NewestFirst()
    {
        lock (_lock)
        {
            var alerts = _alerts.ToArray();
            Array.Reverse(alerts);
            return alerts;
        }
    }
}
