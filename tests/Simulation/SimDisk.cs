using System.Diagnostics.CodeAnalysis;
using Crdt;

namespace Simulation.Tests;

/// <summary>
/// A disk with a write-ahead log: writes are seen at once, survive a crash when they were synced, and otherwise as far as the log
/// happened to get: some of the writes from the oldest on, each whole or not at all.
/// </summary>
internal sealed class SimDisk
{
    private readonly List<Dictionary<byte[], byte[]?>> _unsynced = [];
    private readonly Dictionary<byte[], byte[]> _durable = new(KeyBytes.Instance);
    private Dictionary<byte[], byte[]> _seen = new(KeyBytes.Instance);

    public Transaction Begin() => new(this);

    /// <summary>What a reader sees; it cannot be written to.</summary>
    public ICrdtTransaction Seen => new Reader(_seen);

    /// <summary>What the disk would give after the worst crash.</summary>
    public ICrdtTransaction Durable => new Reader(_durable);

    public void Sync()
    {
        foreach (var writes in _unsynced)
            Apply(_durable, writes);
        _unsynced.Clear();
    }

    /// <summary>Gives the number of writes that are lost.</summary>
    public int Crash(Random random)
    {
        var kept = random.Next(_unsynced.Count + 1);
        var lost = _unsynced.Count - kept;
        foreach (var writes in _unsynced.Take(kept))
            Apply(_durable, writes);
        _unsynced.Clear();
        _seen = new Dictionary<byte[], byte[]>(_durable, KeyBytes.Instance);
        return lost;
    }

    private static void Apply(Dictionary<byte[], byte[]> to, Dictionary<byte[], byte[]?> writes)
    {
        foreach (var (key, value) in writes)
        {
            if (value is null)
                to.Remove(key);
            else
                to[key] = value;
        }
    }

    internal sealed class Transaction(SimDisk disk) : ICrdtTransaction
    {
        private readonly Dictionary<byte[], byte[]?> _writes = new(KeyBytes.Instance);

        public bool HasWrites => _writes.Count > 0;

        public bool TryGet(ReadOnlySpan<byte> key, [NotNullWhen(true)] out byte[]? value) =>
            _writes.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(key, out value)
                ? value is not null
                : disk._seen.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(key, out value);

        public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) =>
            _writes.GetAlternateLookup<ReadOnlySpan<byte>>()[key] = value.ToArray();

        public void Delete(ReadOnlySpan<byte> key) => _writes.GetAlternateLookup<ReadOnlySpan<byte>>()[key] = null;

        public IEnumerable<KeyValuePair<byte[], byte[]>> Scan(ReadOnlyMemory<byte> prefix) =>
            throw new NotSupportedException("the core scans only when it is opened");

        /// <summary>Seen by readers from now on; durable after <see cref="Sync"/>.</summary>
        public void Commit()
        {
            Apply(disk._seen, _writes);
            disk._unsynced.Add(_writes);
        }
    }

    private sealed class Reader(Dictionary<byte[], byte[]> entries) : ICrdtTransaction
    {
        public bool TryGet(ReadOnlySpan<byte> key, [NotNullWhen(true)] out byte[]? value) =>
            entries.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(key, out value);

        public IEnumerable<KeyValuePair<byte[], byte[]>> Scan(ReadOnlyMemory<byte> prefix) => entries
            .Where(entry => entry.Key.AsSpan().StartsWith(prefix.Span))
            .OrderBy(entry => entry.Key, Comparer<byte[]>.Create(static (a, b) => a.AsSpan().SequenceCompareTo(b))).ToArray();

        public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => throw new NotSupportedException();

        public void Delete(ReadOnlySpan<byte> key) => throw new NotSupportedException();
    }

    private sealed class KeyBytes : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static KeyBytes Instance { get; } = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(byte[] obj) => GetHashCode(obj.AsSpan());

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = 17;
            foreach (var octet in alternate.Length > 12 ? alternate[^12..] : alternate)
                hash = (hash * 31) + octet;
            return hash + (alternate.Length > 0 ? alternate[0] * 7919 : 0);
        }

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
