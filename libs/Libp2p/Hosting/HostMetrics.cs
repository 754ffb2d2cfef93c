using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Libp2p.Hosting;

/// <summary>Names of the activities: <c>libp2p.dial</c>, <c>libp2p.negotiate</c>, <c>libp2p.accept</c>.</summary>
internal static class HostActivities
{
    public static readonly ActivitySource Source = new("Libp2p");
}

/// <summary>Instruments of the meter <c>Libp2p</c>.</summary>
internal sealed class HostMetrics : IDisposable
{
    private readonly Meter meter = new("Libp2p");
    private readonly ConcurrentDictionary<string, ProtocolTraffic> traffic = new(StringComparer.Ordinal);
    private readonly UpDownCounter<int> streams;
    private readonly UpDownCounter<int> connections;
    private readonly Counter<int> dials;

    public HostMetrics()
    {
        streams = meter.CreateUpDownCounter<int>("libp2p.streams", "{stream}", "Open streams.");
        connections = meter.CreateUpDownCounter<int>("libp2p.connections", "{connection}", "Open connections.");
        dials = meter.CreateCounter<int>("libp2p.dials", "{dial}", "Dials of peers by result.");
        meter.CreateObservableCounter("libp2p.bandwidth", Bandwidth, "By", "Bytes carried by streams.");
    }

    public IEnumerable<ProtocolTraffic> AllTraffic => traffic.Values;

    public ProtocolTraffic Traffic(string protocol) => traffic.GetOrAdd(protocol, static name => new ProtocolTraffic(name));

    public void StreamOpened(string protocol, bool inbound) => streams.Add(1, Tag("protocol", protocol), Tag("direction", Direction(inbound)));

    public void StreamClosed(string protocol, bool inbound) => streams.Add(-1, Tag("protocol", protocol), Tag("direction", Direction(inbound)));

    public void ConnectionOpened(bool inbound) => connections.Add(1, Tag("direction", Direction(inbound)));

    public void ConnectionClosed(bool inbound) => connections.Add(-1, Tag("direction", Direction(inbound)));

    public void Dialled(string result) => dials.Add(1, Tag("result", result));

    private IEnumerable<Measurement<long>> Bandwidth()
    {
        foreach (var item in traffic.Values)
        {
            yield return new Measurement<long>(item.Received, Tag("protocol", item.Protocol), Tag("direction", "inbound"));
            yield return new Measurement<long>(item.Sent, Tag("protocol", item.Protocol), Tag("direction", "outbound"));
        }
    }

    private static string Direction(bool inbound) => inbound ? "inbound" : "outbound";

    private static KeyValuePair<string, object?> Tag(string key, string value) => new(key, value);

    public void Dispose() => meter.Dispose();
}
