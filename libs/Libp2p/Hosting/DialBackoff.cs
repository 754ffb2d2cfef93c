using System.Collections.Concurrent;

namespace Libp2p.Hosting;

/// <summary>Addresses that failed lately: 5 s, then 5 s plus the square of the tries, at most 5 min (spec/libp2p.md, section 13).</summary>
internal sealed class DialBackoff(TimeProvider time)
{
    private const int MaxEntries = 4096;
    private static readonly TimeSpan Base = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<(PeerId, Multiaddr), (int Tries, DateTimeOffset Until)> failed = new();

    public bool IsBlocked(PeerId peer, Multiaddr address) => failed.TryGetValue((peer, address), out var entry) && entry.Until > time.GetUtcNow();

    public void Failed(PeerId peer, Multiaddr address)
    {
        var now = time.GetUtcNow();
        if (failed.Count >= MaxEntries)
        {
            foreach (var (key, entry) in failed)
            {
                if (entry.Until < now) failed.TryRemove(key, out _);
            }
            if (failed.Count >= MaxEntries) return;
        }
        failed.AddOrUpdate(
            (peer, address),
            _ => (1, now + Base),
            (_, old) =>
            {
                var wait = Base + TimeSpan.FromSeconds((double)old.Tries * old.Tries);
                return (old.Tries + 1, now + (wait < Longest ? wait : Longest));
            });
    }

    public void Succeeded(PeerId peer)
    {
        foreach (var (key, _) in failed)
        {
            if (key.Item1 == peer) failed.TryRemove(key, out _);
        }
    }
}
