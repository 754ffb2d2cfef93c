using System.Buffers.Binary;
using System.Security.Cryptography;
using Cluster.Tracker.Core;
using Ipld;

namespace Cluster.Tracker.Daemon;

/// <summary>
/// The daemon's pins as a set of 64-bit hashes of CID and kind: eight bytes a pin, sorted. When there are more than fit, the set keeps
/// those whose hash lies in the lower half of its range (again and again), and the rest takes another listing: memory stays bounded
/// however many pins the daemon has. Two pins of a billion collide with a chance of one in 10^10 each; a collision hides a lost pin
/// until the next comparison, whose hashes have another seed.
/// </summary>
internal sealed class DaemonPins
{
    private readonly ulong _seed;
    private readonly int _capacity;
    private ulong[] _hashes = new ulong[1024];
    private bool _sorted;

    /// <param name="capacity">Pins at most.</param>
    /// <param name="from">Lowest hash of interest.</param>
    /// <param name="seed">The same for all parts of one comparison; null chooses one.</param>
    public DaemonPins(int capacity, ulong from = 0, ulong? seed = null)
    {
        _capacity = capacity;
        From = from;
        _seed = seed ?? BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(8));
    }

    /// <summary>Lowest hash that the set covers.</summary>
    public ulong From { get; }

    /// <summary>Highest hash that the set covers.</summary>
    public ulong To { get; private set; } = ulong.MaxValue;

    public ulong Seed => _seed;

    /// <summary>Pins in the set.</summary>
    public int Count { get; private set; }

    public void Add(ReadOnlySpan<byte> cid, DaemonPinKind kind)
    {
        var hash = Hash(cid, kind);
        if (hash < From || hash > To)
            return;
        if (Count == _capacity)
        {
            Narrow();
            if (hash > To)
                return;
        }

        if (Count == _hashes.Length)
            Array.Resize(ref _hashes, Math.Min(_capacity, Count * 2));
        _hashes[Count++] = hash;
        _sorted = false;
    }

    /// <summary>Whether the daemon has this pin; null when the set does not cover it.</summary>
    public bool? Has(Cid cid, DaemonPinKind kind)
    {
        var hash = Hash(cid.Bytes, kind);
        if (hash < From || hash > To)
            return null;
        if (!_sorted)
        {
            Array.Sort(_hashes, 0, Count);
            _sorted = true;
        }

        return Array.BinarySearch(_hashes, 0, Count, hash) >= 0;
    }

    private void Narrow()
    {
        while (Count == _capacity)
        {
            To = From + (To - From) / 2;
            var kept = 0;
            for (var i = 0; i < Count; i++)
            {
                if (_hashes[i] <= To)
                    _hashes[kept++] = _hashes[i];
            }

            Count = kept;
        }
    }

    private ulong Hash(ReadOnlySpan<byte> cid, DaemonPinKind kind)
    {
        var hash = Mix(_seed ^ (ulong)kind, (ulong)cid.Length);
        for (; cid.Length >= 8; cid = cid[8..])
            hash = Mix(hash, BinaryPrimitives.ReadUInt64LittleEndian(cid));
        Span<byte> rest = stackalloc byte[8];
        rest.Clear();
        cid.CopyTo(rest);
        return Mix(hash, BinaryPrimitives.ReadUInt64LittleEndian(rest));
    }

    private static ulong Mix(ulong hash, ulong word)
    {
        var high = Math.BigMul(hash ^ word ^ 0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93, out var low);
        hash = high ^ low;
        hash ^= hash >> 32;
        return hash * 0x9FB21C651E98DF25 ^ word;
    }
}
