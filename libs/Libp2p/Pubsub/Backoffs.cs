namespace Libp2p.Pubsub;

/// <summary>Who must not be grafted, into which topic, until when: for our reasons, or because the peer asked for it.</summary>
internal sealed class Backoffs
{
    private readonly Dictionary<(string Topic, PeerId Peer), DateTimeOffset> ours = [];
    private readonly Dictionary<(string Topic, PeerId Peer), DateTimeOffset> theirs = [];

    public bool Holds(string topic, PeerId peer, DateTimeOffset now) => Holds(ours, topic, peer, now) || Holds(theirs, topic, peer, now);

    /// <summary>Backs off for a while; a longer one that holds already stays.</summary>
    public void Add(string topic, PeerId peer, DateTimeOffset now, TimeSpan duration) => Add(ours, topic, peer, now + duration);

    /// <summary>The peer asks to be left alone for a while.</summary>
    public void Asked(string topic, PeerId peer, DateTimeOffset now, TimeSpan duration) => Add(theirs, topic, peer, now + duration);

    /// <summary>
    /// A peer is gone: what it asked for goes with it. One that is started again knows nothing of it; to refuse its graft would put it
    /// off by a minute more, during which it hears the topic by gossip only.
    /// </summary>
    public void Forget(PeerId peer)
    {
        foreach (var key in theirs.Keys)
            if (key.Peer == peer) theirs.Remove(key);
    }

    public void Expire(DateTimeOffset now)
    {
        Expire(ours, now);
        Expire(theirs, now);
    }

    private static bool Holds(Dictionary<(string Topic, PeerId Peer), DateTimeOffset> until, string topic, PeerId peer, DateTimeOffset now) =>
        until.TryGetValue((topic, peer), out var end) && now < end;

    private static void Add(Dictionary<(string Topic, PeerId Peer), DateTimeOffset> until, string topic, PeerId peer, DateTimeOffset end)
    {
        if (!until.TryGetValue((topic, peer), out var present) || present < end) until[(topic, peer)] = end;
    }

    private static void Expire(Dictionary<(string Topic, PeerId Peer), DateTimeOffset> until, DateTimeOffset now)
    {
        foreach (var (key, end) in until)
            if (end <= now) until.Remove(key);
    }
}
