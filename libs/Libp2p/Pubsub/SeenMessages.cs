namespace Libp2p.Pubsub;

/// <summary>Ids of messages that came by lately, so that each is delivered and relayed once.</summary>
internal sealed class SeenMessages(TimeSpan ttl, int limit)
{
    private readonly HashSet<MessageId> ids = [];
    private readonly Queue<(MessageId Id, DateTimeOffset Until)> order = new();

    public int Count => ids.Count;

    public bool Contains(MessageId id) => ids.Contains(id);

    /// <summary>Remembers an id; false when it is known already.</summary>
    public bool Add(MessageId id, DateTimeOffset now)
    {
        Expire(now);
        if (!ids.Add(id)) return false;
        order.Enqueue((id, now + ttl));
        if (order.Count > limit) ids.Remove(order.Dequeue().Id);
        return true;
    }

    public void Expire(DateTimeOffset now)
    {
        while (order.TryPeek(out var oldest) && oldest.Until <= now) ids.Remove(order.Dequeue().Id);
    }
}
