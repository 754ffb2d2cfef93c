using Ipld;
using Libp2p;

namespace Cluster.Model;

/// <summary>An entry of the pinset (spec/behaviour.md 1.1).</summary>
public sealed record Pin
{
    public PinOptions Options { get; init; } = PinOptions.Default;

    public Cid Cid { get; init; }

    public PinType Type { get; init; }

    /// <summary>The peers that hold the pin; empty when all do, and for meta pins. Null and empty print differently.</summary>
    public IReadOnlyList<PeerId>? Allocations { get; init; }

    /// <summary>See <see cref="PinDepth"/>; levels when positive.</summary>
    public int MaxDepth { get; init; }

    /// <summary>Meta pin: its cluster DAG. Cluster DAG: its meta pin. Shard: the previous shard. Else undefined.</summary>
    public Cid Reference { get; init; }

    /// <summary>When it was submitted; the state keeps whole seconds.</summary>
    public GoTime Timestamp { get; init; }

    /// <summary>A data pin of <paramref name="cid"/> with the depth that the options' mode asks for, not yet allocated.</summary>
    public static Pin WithOptions(Cid cid, PinOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new Pin { Cid = cid, Options = options, Type = PinType.Data, Allocations = [], MaxDepth = options.Mode.ToDepth() };
    }

    /// <summary>Every peer holds it: decided by the factors, not by the empty list of allocations (spec/behaviour.md 1.1).</summary>
    public bool IsEverywhere => Options.Replication.IsEverywhere;

    /// <summary>In the pinset, but for other peers only.</summary>
    public bool IsRemoteFor(PeerId peer)
    {
        if (Type == PinType.Meta || IsEverywhere)
            return false;
        return !IsAllocatedTo(peer);
    }

    /// <summary>Whether <paramref name="peer"/> is named among the allocations.</summary>
    public bool IsAllocatedTo(PeerId peer)
    {
        if (Allocations is null)
            return false;
        for (var i = 0; i < Allocations.Count; i++)
        {
            if (Allocations[i].Equals(peer))
                return true;
        }

        return false;
    }

    public bool IsExpired(GoTime now) => Options.IsExpired(now);

    /// <summary>The original's notion of equality: all but the timestamp; see <see cref="PinOptions.IsEquivalentTo"/>.</summary>
    public bool IsEquivalentTo(Pin other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Cid.Equals(other.Cid) && Type == other.Type && MaxDepth == other.MaxDepth && Reference.Equals(other.Reference)
            && SameAllocations(Allocations ?? [], other.Allocations ?? []) && Options.IsEquivalentTo(other.Options);
    }

    private static bool SameAllocations(IReadOnlyList<PeerId> left, IReadOnlyList<PeerId> right) =>
        left.Count == right.Count && left.Select(p => p.ToString()).Order(StringComparer.Ordinal)
            .SequenceEqual(right.Select(p => p.ToString()).Order(StringComparer.Ordinal), StringComparer.Ordinal);
}
