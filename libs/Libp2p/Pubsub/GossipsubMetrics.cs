using System.Diagnostics.Metrics;

namespace Libp2p.Pubsub;

/// <summary>Instruments of gossip, in the meter <c>Libp2p</c>.</summary>
internal sealed class GossipsubMetrics : IDisposable
{
    private readonly Meter meter = new("Libp2p");
    private readonly Counter<long> messages;
    private readonly Counter<long> dropped;

    public GossipsubMetrics()
    {
        messages = meter.CreateCounter<long>("libp2p.pubsub.messages", "{message}", "Messages by result: published, delivered, duplicate, refused.");
        dropped = meter.CreateCounter<long>("libp2p.pubsub.dropped_frames", "{frame}", "Frames that did not fit the queue of a peer.");
    }

    public void Counted(string result, int count = 1) => messages.Add(count, new KeyValuePair<string, object?>("result", result));

    public void FrameDropped() => dropped.Add(1);

    public void Dispose() => meter.Dispose();
}
