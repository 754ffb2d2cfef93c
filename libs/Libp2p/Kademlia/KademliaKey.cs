using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Libp2p.Kademlia;

/// <summary>A place in the key space: the SHA-2 256 of a peer id or of a key. Nearness is the XOR of two places.</summary>
public readonly struct KademliaKey : IEquatable<KademliaKey>
{
    private readonly UInt128 high;
    private readonly UInt128 low;

    private KademliaKey(UInt128 high, UInt128 low) => (this.high, this.low) = (high, low);

    /// <summary>The place of a key, such as the multihash of some content.</summary>
    public static KademliaKey Of(ReadOnlySpan<byte> key)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(key, hash);
        return new KademliaKey(BinaryPrimitives.ReadUInt128BigEndian(hash), BinaryPrimitives.ReadUInt128BigEndian(hash[16..]));
    }

    /// <summary>The place of a peer.</summary>
    public static KademliaKey Of(PeerId peer) => Of(peer.Bytes);

    /// <summary>How many leading bits two places share, 0 to 256.</summary>
    public int CommonPrefix(KademliaKey other)
    {
        var first = high ^ other.high;
        return first != 0 ? (int)UInt128.LeadingZeroCount(first) : 128 + (int)UInt128.LeadingZeroCount(low ^ other.low);
    }

    /// <summary>Which of two places is nearer to this one: negative for <paramref name="a"/>.</summary>
    public int CompareDistance(KademliaKey a, KademliaKey b)
    {
        int order = (high ^ a.high).CompareTo(high ^ b.high);
        return order != 0 ? order : (low ^ a.low).CompareTo(low ^ b.low);
    }

    /// <inheritdoc/>
    public bool Equals(KademliaKey other) => high == other.high && low == other.low;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is KademliaKey other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(high, low);

    /// <summary>Same place.</summary>
    public static bool operator ==(KademliaKey left, KademliaKey right) => left.Equals(right);

    /// <summary>Other place.</summary>
    public static bool operator !=(KademliaKey left, KademliaKey right) => !left.Equals(right);
}
