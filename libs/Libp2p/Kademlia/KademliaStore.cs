namespace Libp2p.Kademlia;

/// <summary>What is kept for others: who has which content, and records. One caller at a time; bounded, the oldest goes first.</summary>
internal sealed class KademliaStore(KademliaOptions options)
{
    private readonly Dictionary<ByteKey, Dictionary<PeerId, DateTimeOffset>> providers = [];
    private readonly Queue<(ByteKey Key, PeerId Peer, DateTimeOffset At)> providerOrder = new();
    private readonly Dictionary<ByteKey, (KademliaRecord Record, DateTimeOffset At)> records = [];
    private readonly Queue<(ByteKey Key, DateTimeOffset At)> recordOrder = new();

    /// <summary>Bytes as a key of a dictionary.</summary>
    private readonly struct ByteKey(byte[] bytes) : IEquatable<ByteKey>
    {
        private readonly byte[] bytes = bytes;

        public bool Equals(ByteKey other) => bytes.AsSpan().SequenceEqual(other.bytes);

        public override bool Equals(object? obj) => obj is ByteKey other && Equals(other);

        public override int GetHashCode()
        {
            var hash = new HashCode();
            hash.AddBytes(bytes);
            return hash.ToHashCode();
        }
    }

    public void AddProvider(ReadOnlySpan<byte> key, PeerId peer, DateTimeOffset now)
    {
        Expire(now);
        var name = new ByteKey(key.ToArray());
        if (!providers.TryGetValue(name, out var known)) providers.Add(name, known = []);
        known[peer] = now;
        providerOrder.Enqueue((name, peer, now));
    }

    public IReadOnlyList<PeerId> Providers(ReadOnlySpan<byte> key, DateTimeOffset now)
    {
        Expire(now);
        return providers.TryGetValue(new ByteKey(key.ToArray()), out var known) ? [.. known.Keys] : [];
    }

    public KademliaRecord? Record(ReadOnlySpan<byte> key, DateTimeOffset now)
    {
        Expire(now);
        return records.TryGetValue(new ByteKey(key.ToArray()), out var kept) ? kept.Record : null;
    }

    public void Put(KademliaRecord record, DateTimeOffset now)
    {
        Expire(now);
        var name = new ByteKey(record.Key.ToArray());
        records[name] = (record, now);
        recordOrder.Enqueue((name, now));
    }

    private void Expire(DateTimeOffset now)
    {
        while (providerOrder.TryPeek(out var oldest) && (now - oldest.At > options.ProviderTtl || providerOrder.Count > options.StoreLimit))
        {
            providerOrder.Dequeue();
            // A later announcement of the same keeps it.
            if (!providers.TryGetValue(oldest.Key, out var known) || !known.TryGetValue(oldest.Peer, out var at) || at != oldest.At) continue;
            known.Remove(oldest.Peer);
            if (known.Count == 0) providers.Remove(oldest.Key);
        }
        while (recordOrder.TryPeek(out var old) && (now - old.At > options.RecordTtl || recordOrder.Count > options.StoreLimit))
        {
            recordOrder.Dequeue();
            if (records.TryGetValue(old.Key, out var kept) && kept.At == old.At) records.Remove(old.Key);
        }
    }
}
