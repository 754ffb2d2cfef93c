namespace Libp2p.Kademlia;

/// <summary>
/// Peers by how near they are to us: k of each distance. Without I/O, one caller at a time. Peers that proved useful stay; a newcomer to
/// a full bucket replaces only one that was not heard of for long (Kademlia §2.2: old contacts are the likely ones to stay).
/// </summary>
public sealed class RoutingTable(PeerId self, int bucketSize, TimeSpan usefulFor)
{
    private readonly KademliaKey own = KademliaKey.Of(self);
    private readonly List<Entry>[] buckets = new List<Entry>[257];

    private sealed record Entry(PeerId Peer, KademliaKey Key)
    {
        public DateTimeOffset Useful { get; set; }
    }

    /// <summary>Peers in it.</summary>
    public int Count { get; private set; }

    /// <summary>All peers.</summary>
    public IEnumerable<PeerId> Peers => buckets.Where(bucket => bucket is not null).SelectMany(bucket => bucket).Select(entry => entry.Peer);

    /// <summary>Longest common prefix with us that any peer has; -1 when there is none.</summary>
    public int DeepestBucket => Array.FindLastIndex(buckets, bucket => bucket is { Count: > 0 });

    /// <summary>A peer answered a query: it is added, or remembered as useful.</summary>
    /// <returns>Whether it is in the table now.</returns>
    public bool Add(PeerId peer, DateTimeOffset now)
    {
        if (peer == self) return false;
        var key = KademliaKey.Of(peer);
        var bucket = buckets[own.CommonPrefix(key)] ??= [];
        int at = bucket.FindIndex(entry => entry.Peer == peer);
        if (at >= 0)
        {
            bucket[at].Useful = now;
            return true;
        }
        if (bucket.Count >= bucketSize)
        {
            var oldest = bucket.MinBy(entry => entry.Useful)!;
            if (now - oldest.Useful < usefulFor) return false;
            bucket.Remove(oldest);
            Count--;
        }
        bucket.Add(new Entry(peer, key) { Useful = now });
        Count++;
        return true;
    }

    /// <summary>A peer does not answer, or not any more.</summary>
    public void Remove(PeerId peer)
    {
        if (buckets[own.CommonPrefix(KademliaKey.Of(peer))] is { } bucket) Count -= bucket.RemoveAll(entry => entry.Peer == peer);
    }

    /// <summary>Whether a peer is in it.</summary>
    public bool Contains(PeerId peer) => buckets[own.CommonPrefix(KademliaKey.Of(peer))]?.Exists(entry => entry.Peer == peer) ?? false;

    /// <summary>The peers nearest to a place, nearest first.</summary>
    public IReadOnlyList<PeerId> Nearest(KademliaKey target, int count)
    {
        var all = new List<Entry>(Count);
        foreach (var bucket in buckets)
        {
            if (bucket is not null) all.AddRange(bucket);
        }
        all.Sort((a, b) => target.CompareDistance(a.Key, b.Key));
        return [.. all.Take(count).Select(entry => entry.Peer)];
    }
}
