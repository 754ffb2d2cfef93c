using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace Libp2p.Hosting;

/// <summary>Keeps the number of connections between two marks; protected and young connections are left alone.</summary>
internal sealed class ConnectionTrimmer(ConnectionTrimOptions options, ConnectionPool pool, TimeProvider time, HostLog log)
{
    private readonly ConcurrentDictionary<PeerId, ImmutableHashSet<string>> protections = new();
    private readonly ConcurrentDictionary<PeerId, ImmutableDictionary<string, int>> tags = new();

    public void Protect(PeerId peer, string tag) => protections.AddOrUpdate(peer, [tag], (_, set) => set.Add(tag));

    /// <summary>Takes a protection back; true if another one remains.</summary>
    public bool Unprotect(PeerId peer, string tag)
    {
        var left = protections.AddOrUpdate(peer, [], (_, set) => set.Remove(tag));
        if (left.IsEmpty) protections.TryRemove(new KeyValuePair<PeerId, ImmutableHashSet<string>>(peer, left));
        return !left.IsEmpty;
    }

    public bool IsProtected(PeerId peer) => protections.TryGetValue(peer, out var set) && !set.IsEmpty;

    public void Tag(PeerId peer, string tag, int value) =>
        tags.AddOrUpdate(peer, ImmutableDictionary<string, int>.Empty.Add(tag, value), (_, map) => map.SetItem(tag, value));

    public void Untag(PeerId peer, string tag)
    {
        var left = tags.AddOrUpdate(peer, ImmutableDictionary<string, int>.Empty, (_, map) => map.Remove(tag));
        if (left.IsEmpty) tags.TryRemove(new KeyValuePair<PeerId, ImmutableDictionary<string, int>>(peer, left));
    }

    private int Value(PeerId peer) => tags.TryGetValue(peer, out var map) ? map.Values.Sum() : 0;

    /// <summary>Connections to close now: the least valued, then those without streams, then the oldest.</summary>
    public IReadOnlyList<PeerConnection> Surplus()
    {
        if (pool.Count <= options.HighWater) return [];
        var young = time.GetUtcNow() - options.Grace;
        var candidates = pool.All.Where(c => c.Opened <= young && !IsProtected(c.RemotePeer))
            .OrderBy(c => Value(c.RemotePeer)).ThenBy(c => c.StreamCount).ThenBy(c => c.Opened);
        return [.. candidates.Take(pool.Count - options.LowWater)];
    }

    public async Task RunAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(options.Interval, time);
        while (await timer.WaitForNextTickAsync(stopping))
        {
            var surplus = Surplus();
            if (surplus.Count == 0) continue;
            log.Trimming(surplus.Count);
            await Task.WhenAll(surplus.Select(c => c.CloseAsync()));
        }
    }
}
