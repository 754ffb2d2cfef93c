using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace Libp2p;

/// <summary>How long an address stays known (spec/libp2p.md, section 13).</summary>
public static class AddressTtl
{
    /// <summary>Configured by the user.</summary>
    public static readonly TimeSpan Permanent = TimeSpan.MaxValue;

    /// <summary>Of a connected peer; shortened to <see cref="RecentlyConnected"/> when the connection ends.</summary>
    public static readonly TimeSpan Connected = TimeSpan.FromDays(3650);

    /// <summary>Of a peer that was connected.</summary>
    public static readonly TimeSpan RecentlyConnected = TimeSpan.FromMinutes(15);

    /// <summary>From the peerstore file.</summary>
    public static readonly TimeSpan Imported = TimeSpan.FromHours(1);

    /// <summary>From hearsay.</summary>
    public static readonly TimeSpan Temporary = TimeSpan.FromMinutes(2);
}

/// <summary>What is known about other peers. Bounded, and safe for all threads.</summary>
public sealed class Peerstore(TimeProvider time)
{
    private const int MaxAddressesPerPeer = 64;
    private const int MaxProtocolsPerPeer = 256;

    private readonly ConcurrentDictionary<PeerId, Entry> entries = new();

    private sealed class Entry
    {
        public readonly Lock Gate = new();
        public readonly Dictionary<Multiaddr, (DateTimeOffset Expires, TimeSpan Ttl)> Addresses = [];
        public ImmutableHashSet<string> Protocols = [];
        public PublicKey? Key;
        public string AgentVersion = "";
        public string ProtocolVersion = "";
        public byte[]? SignedRecord;
        public ulong RecordSequence;

        // It was taken out while somebody was about to write to it; what is written goes to a new one.
        public bool Gone;
    }

    /// <summary>Changes what is known of a peer.</summary>
    private void Change(PeerId peer, Action<Entry> change)
    {
        while (true)
        {
            var entry = entries.GetOrAdd(peer, static _ => new Entry());
            lock (entry.Gate)
            {
                if (entry.Gone) continue;
                change(entry);
                return;
            }
        }
    }

    /// <summary>Adds addresses, without the peer at their end. A longer life replaces a shorter one.</summary>
    public void AddAddresses(PeerId peer, IEnumerable<Multiaddr> addresses, TimeSpan ttl)
    {
        var bare = addresses.Select(a => a.PeerId == peer ? a.WithoutPeer() : a).Where(a => !a.IsEmpty).ToList();
        var now = time.GetUtcNow();
        var expires = ttl >= DateTimeOffset.MaxValue - now ? DateTimeOffset.MaxValue : now + ttl;
        Change(peer, entry =>
        {
            foreach (var address in bare)
            {
                if (entry.Addresses.TryGetValue(address, out var old))
                {
                    if (old.Expires < expires) entry.Addresses[address] = (expires, ttl);
                    continue;
                }
                if (entry.Addresses.Count >= MaxAddressesPerPeer && !DropExpired(entry, now)) return;
                entry.Addresses.Add(address, (expires, ttl));
            }
        });
    }

    /// <summary>Adds one address that ends with its peer.</summary>
    public void AddAddress(Multiaddr address, TimeSpan ttl)
    {
        if (address.PeerId is { } peer) AddAddresses(peer, [address], ttl);
    }

    /// <summary>Changes the life of all addresses that have the life <paramref name="from"/>.</summary>
    public void ChangeTtl(PeerId peer, TimeSpan from, TimeSpan to)
    {
        if (!entries.TryGetValue(peer, out var entry)) return;
        var expires = time.GetUtcNow() + to;
        lock (entry.Gate)
        {
            foreach (var (address, life) in entry.Addresses.ToArray())
            {
                if (life.Ttl == from) entry.Addresses[address] = (expires, to);
            }
        }
    }

    /// <summary>Known addresses of a peer, without the peer at their end.</summary>
    public IReadOnlyList<Multiaddr> Addresses(PeerId peer)
    {
        if (!entries.TryGetValue(peer, out var entry)) return [];
        lock (entry.Gate)
        {
            DropExpired(entry, time.GetUtcNow());
            return [.. entry.Addresses.Keys];
        }
    }

    private static bool DropExpired(Entry entry, DateTimeOffset now)
    {
        bool any = false;
        foreach (var (address, life) in entry.Addresses)
        {
            if (life.Expires > now) continue;
            // Removing while enumerating is permitted.
            entry.Addresses.Remove(address);
            any = true;
        }
        return any;
    }

    /// <summary>Forgets the addresses of a peer.</summary>
    public void ClearAddresses(PeerId peer)
    {
        if (!entries.TryGetValue(peer, out var entry)) return;
        lock (entry.Gate) entry.Addresses.Clear();
    }

    /// <summary>All peers with at least one address.</summary>
    public IReadOnlyList<PeerId> PeersWithAddresses() => [.. entries.Keys.Where(peer => Addresses(peer).Count > 0)];

    /// <summary>Protocols that the peer said it supports.</summary>
    public IReadOnlySet<string> Protocols(PeerId peer) => entries.TryGetValue(peer, out var entry) ? entry.Protocols : ImmutableHashSet<string>.Empty;

    /// <summary>Replaces the protocols of a peer.</summary>
    public void SetProtocols(PeerId peer, IEnumerable<string> protocols) =>
        Change(peer, entry => entry.Protocols = [.. protocols.Take(MaxProtocolsPerPeer)]);

    /// <summary>Public key of a peer, if it is known or part of its id.</summary>
    public PublicKey? Key(PeerId peer) =>
        entries.TryGetValue(peer, out var entry) && entry.Key is { } known ? known : peer.TryExtractPublicKey(out var key, out _) ? key : null;

    /// <summary>Remembers the public key of its holder.</summary>
    public void SetKey(PublicKey key) => Change(key.PeerId, entry => entry.Key = key);

    /// <summary>Program and protocol version of a peer, as it says.</summary>
    public (string Agent, string Protocol) Versions(PeerId peer) =>
        entries.TryGetValue(peer, out var entry) ? (entry.AgentVersion, entry.ProtocolVersion) : ("", "");

    /// <summary>Remembers what a peer says about its program.</summary>
    public void SetVersions(PeerId peer, string agent, string protocol) => Change(peer, entry =>
    {
        entry.AgentVersion = agent;
        entry.ProtocolVersion = protocol;
    });

    /// <summary>The peer's own signed list of its addresses (an envelope), for handing on.</summary>
    public byte[]? SignedRecord(PeerId peer) => entries.TryGetValue(peer, out var entry) ? entry.SignedRecord : null;

    /// <summary>Keeps a signed record unless a newer one is known.</summary>
    public bool SetSignedRecord(PeerId peer, byte[] envelope, ulong sequence)
    {
        bool kept = false;
        Change(peer, entry =>
        {
            if (entry.SignedRecord is not null && sequence < entry.RecordSequence) return;
            entry.SignedRecord = envelope;
            entry.RecordSequence = sequence;
            kept = true;
        });
        return kept;
    }

    /// <summary>Forgets a peer altogether.</summary>
    public void Remove(PeerId peer)
    {
        if (!entries.TryGetValue(peer, out var entry)) return;
        lock (entry.Gate) Remove(peer, entry);
    }

    private void Remove(PeerId peer, Entry entry)
    {
        entry.Gone = true;
        entries.TryRemove(new KeyValuePair<PeerId, Entry>(peer, entry));
    }

    /// <summary>Forgets peers without addresses, keys excepted for the given ones. Call now and then.</summary>
    public void Sweep(Func<PeerId, bool> keep)
    {
        foreach (var (peer, entry) in entries)
        {
            if (keep(peer)) continue;
            lock (entry.Gate)
            {
                DropExpired(entry, time.GetUtcNow());
                if (entry.Addresses.Count == 0) Remove(peer, entry);
            }
        }
    }
}
