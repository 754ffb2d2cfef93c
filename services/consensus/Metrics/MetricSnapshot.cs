using System.Text.Json;
using Cluster.Model;
using Libp2p;

namespace Cluster.Consensus.Metrics;

/// <summary>What a peer tells of itself in its ping metric (spec/behaviour.md 17.2).</summary>
/// <param name="PeerName">Name of the cluster peer.</param>
/// <param name="IpfsId">Id of its daemon; empty when unknown.</param>
/// <param name="IpfsAddresses">Addresses of its daemon.</param>
public sealed record PingValue(string PeerName, string IpfsId, IReadOnlyList<string> IpfsAddresses)
{
    /// <summary>Of a peer that has not been heard of.</summary>
    public static PingValue Unknown { get; } = new(string.Empty, string.Empty, []);

    /// <summary>Reads the value; what cannot be read is unknown.</summary>
    public static PingValue Parse(string value)
    {
        try
        {
            using var document = JsonDocument.Parse(value);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
                return Unknown;
            var addresses = root.TryGetProperty("ipfs_addresses", out var list) && list.ValueKind == JsonValueKind.Array
                ? list.EnumerateArray().Where(a => a.ValueKind == JsonValueKind.String).Select(a => a.GetString()!).ToArray()
                : [];
            return new PingValue(Text(root, "peer_name") is { Length: > 0 } name ? name : Text(root, "peername"), Text(root, "ipfs_id"), addresses);
        }
        catch (JsonException)
        {
            return Unknown;
        }
    }

    private static string Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : string.Empty;
}

/// <summary>
/// The latest metrics of all peers, kept up to date from the monitor's watch, so that an allocation asks nobody. Readers see a metric
/// until it expires by this peer's clock, also when the monitor is away.
/// </summary>
public sealed class MetricSnapshot(TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Name, PeerId Peer), Metric> _latest = [];
    private readonly Dictionary<PeerId, PingValue> _pings = [];
    private long _version;

    /// <summary>Grows with every change.</summary>
    public long Version => Interlocked.Read(ref _version);

    /// <summary>
    /// Takes in everything that the monitor knows to be valid (the first message of a watch). A monitor that was restarted knows of nobody
    /// at first: what has not expired still holds, or for a moment this peer would be alone, and refuse pins that ask for others.
    /// </summary>
    public void Reset(IEnumerable<Metric> metrics)
    {
        var now = GoTime.Now(clock);
        lock (_lock)
        {
            foreach (var (key, metric) in _latest)
            {
                // Removing while enumerating is permitted.
                if (metric.IsDiscarded(now))
                    _latest.Remove(key);
            }

            foreach (var metric in metrics)
                Store(metric);
            _version++;
        }
    }

    /// <summary>Takes in newer metrics.</summary>
    public void Update(IEnumerable<Metric> metrics, IEnumerable<Metric> expired)
    {
        lock (_lock)
        {
            foreach (var metric in metrics)
                Store(metric);
            foreach (var metric in expired)
            {
                var key = (metric.Name, metric.Peer);
                if (_latest.TryGetValue(key, out var known) && known.Expire <= metric.Expire)
                    _latest.Remove(key);
            }

            _version++;
        }
    }

    /// <summary>The valid metrics of a name, one a peer.</summary>
    public IReadOnlyList<Metric> Latest(string name)
    {
        var now = GoTime.Now(clock);
        lock (_lock)
        {
            var found = new List<Metric>();
            foreach (var (key, metric) in _latest)
            {
                if (key.Name == name && !metric.IsDiscarded(now))
                    found.Add(metric);
            }

            return found;
        }
    }

    /// <summary>What a peer last said of itself, also when that has expired.</summary>
    public PingValue PingOf(PeerId peer)
    {
        lock (_lock)
            return _pings.GetValueOrDefault(peer, PingValue.Unknown);
    }

    private void Store(Metric metric)
    {
        _latest[(metric.Name, metric.Peer)] = metric;
        if (metric.Name == "ping")
            _pings[metric.Peer] = PingValue.Parse(metric.Value);
    }
}
