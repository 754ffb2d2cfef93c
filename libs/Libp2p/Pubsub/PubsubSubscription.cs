using System.Threading.Channels;

namespace Libp2p.Pubsub;

/// <summary>The messages of one topic, own ones included, until disposed.</summary>
public sealed class PubsubSubscription : IDisposable
{
    private readonly Channel<PubsubMessage> channel;
    private readonly Action<PubsubSubscription> ended;

    internal PubsubSubscription(string topic, int capacity, Action lagging, Action<PubsubSubscription> ended)
    {
        Topic = topic;
        this.ended = ended;
        // Gossip is repeated by others: a subscriber that lags loses the oldest, and holds nobody up.
        channel = Channel.CreateBounded<PubsubMessage>(new BoundedChannelOptions(capacity) { FullMode = BoundedChannelFullMode.DropOldest }, _ => lagging());
    }

    /// <summary>The topic.</summary>
    public string Topic { get; }

    /// <summary>Messages in the order of their arrival.</summary>
    public ChannelReader<PubsubMessage> Messages => channel.Reader;

    internal void Deliver(PubsubMessage message) => channel.Writer.TryWrite(message);

    /// <summary>Ends the subscription; the reader completes.</summary>
    public void Dispose()
    {
        channel.Writer.TryComplete();
        ended(this);
    }
}
