namespace Libp2p.Pubsub;

/// <summary>Who must not be grafted, into which topic, until when.</summary>
internal sealed class Backoffs
{
    private readonly Dictionary<(string Topic, PeerId Peer), DateTimeOffset> until = [];

    public bool Holds(string topic, PeerId peer, DateTimeOffset now) => until.TryGetValue((topic, peer), out var end) && now < end;

    /// <summary>Backs off for a while; a longer one that holds already stays.</summary>
    public void Add(string topic, PeerId peer, DateTimeOffset now, TimeSpan duration)
    {
        var end = now + duration;
        if (!until.TryGetValue((topic, peer), out var present) || present < end) until[(topic, peer)] = end;
    }

    public void Expire(DateTimeOffset now)
    {
        foreach (var (key, end) in until)
            if (end <= now) until.Remove(key);
    }
}
