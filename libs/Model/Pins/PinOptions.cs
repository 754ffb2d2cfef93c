using Ipld;
using Libp2p;

namespace Cluster.Model;

/// <summary>What a user may ask for with a pin (spec/behaviour.md 1.1, spec/rest-api.md 7).</summary>
public sealed record PinOptions
{
    public static PinOptions Default { get; } = new();

    public ReplicationFactors Replication { get; init; }

    public string Name { get; init; } = string.Empty;

    /// <summary>Not stored: rebuilt from the depth when read back.</summary>
    public PinMode Mode { get; init; }

    /// <summary>Bytes; only for sharded adds.</summary>
    public ulong ShardSize { get; init; }

    /// <summary>Preferred peers, part of a request only: never stored. Null and empty print differently.</summary>
    public IReadOnlyList<PeerId>? UserAllocations { get; init; }

    /// <summary>Zero time and the Unix epoch both mean "never".</summary>
    public GoTime ExpireAt { get; init; }

    public Metadata? Metadata { get; init; }

    /// <summary>The CID whose pin is copied; undefined when this is no update.</summary>
    public Cid PinUpdate { get; init; }

    /// <summary>Addresses of daemons that hold the content, each with a peer id. Null and empty print differently.</summary>
    public IReadOnlyList<Multiaddr>? Origins { get; init; }

    /// <summary>Whether the pin may be removed at <paramref name="now"/>: an expiry is set and lies before it.</summary>
    public bool IsExpired(GoTime now) => HasExpiry && ExpireAt < now;

    public bool HasExpiry => !ExpireAt.IsZero && !(ExpireAt.UnixSeconds == 0 && ExpireAt.Nanosecond == 0);

    /// <summary>
    /// The original's notion of equality (spec/behaviour.md 1.1): metadata is compared in one direction, <see cref="PinUpdate"/>
    /// not at all, user allocations without their order.
    /// </summary>
    public bool IsEquivalentTo(PinOptions other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (Name != other.Name || Mode != other.Mode || Replication != other.Replication || ShardSize != other.ShardSize
            || ExpireAt != other.ExpireAt)
        {
            return false;
        }

        if (!Peers.SameSet(UserAllocations, other.UserAllocations))
            return false;
        if (Metadata is not null)
        {
            foreach (var (key, value) in Metadata.Entries)
            {
                if ((other.Metadata is not null && other.Metadata.TryGetValue(key, out var theirs) ? theirs : string.Empty) != value)
                    return false;
            }
        }

        var (mine, their) = (Origins ?? [], other.Origins ?? []);
        if (mine.Count != their.Count)
            return false;
        for (var i = 0; i < mine.Count; i++)
        {
            if (!mine[i].Equals(their[i]))
                return false;
        }

        return true;
    }

    private static class Peers
    {
        public static bool SameSet(IReadOnlyList<PeerId>? left, IReadOnlyList<PeerId>? right)
        {
            var (a, b) = (left ?? [], right ?? []);
            if (a.Count != b.Count)
                return false;
            var rest = b.ToList();
            return a.All(rest.Remove);
        }
    }
}
