using Ipld;
using Libp2p;

namespace Cluster.Allocation;

/// <summary>
/// Which of several peers acts for a CID: the one at the least distance, that is blake2b-256(CID) XOR blake2b-256(peer id), compared byte
/// by byte from the first (spec/behaviour.md 7). Every peer finds the same one without asking.
/// </summary>
public sealed class PeerDistance
{
    private const int Size = 32;

    private readonly byte[] _own;
    private readonly byte[][] _others;

    /// <param name="self">The peer that asks.</param>
    /// <param name="candidates">The peers that could act instead; <paramref name="self"/> among them is passed over.</param>
    public PeerDistance(PeerId self, IEnumerable<PeerId> candidates)
    {
        ArgumentNullException.ThrowIfNull(candidates);
        _own = Hash(self.Bytes);
        _others = [.. candidates.Where(peer => peer != self).Select(peer => Hash(peer.Bytes))];
    }

    /// <summary>Whether no other candidate is strictly nearer to the CID.</summary>
    public bool IsClosest(in Cid cid)
    {
        var target = Hash(cid.Bytes);
        foreach (var other in _others)
        {
            if (IsNearer(other, _own, target))
                return false;
        }

        return true;
    }

    // The first byte in which the two peers differ decides: whose byte is nearer to the target's.
    private static bool IsNearer(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b, ReadOnlySpan<byte> target)
    {
        var i = a.CommonPrefixLength(b);
        return i < Size && (a[i] ^ target[i]) < (b[i] ^ target[i]);
    }

    private static byte[] Hash(ReadOnlySpan<byte> data) => MultihashSum.Compute(MultihashCode.Blake2bMin + Size - 1, data).Digest.ToArray();
}
