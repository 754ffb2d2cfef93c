namespace Cluster.Model;

/// <summary>What a pin stands for. The numbers are the bits that peers exchange and filters combine (spec/behaviour.md 1.1).</summary>
[Flags]
public enum PinType
{
    /// <summary>Not a filter at all.</summary>
    None = 0,

    /// <summary>Unknown kind: <c>bad-type</c>.</summary>
    Bad = 1,

    /// <summary>An ordinary pin: <c>pin</c>.</summary>
    Data = 2,

    /// <summary>The root of sharded content; references the cluster DAG, never pinned itself.</summary>
    Meta = 4,

    /// <summary>The DAG whose leaves are the shards; references the meta pin.</summary>
    ClusterDag = 8,

    /// <summary>One shard; references the previous one.</summary>
    Shard = 16,

    /// <summary>Filter only: every kind.</summary>
    All = Data | Meta | ClusterDag | Shard,
}

/// <summary>Names and filters of <see cref="PinType"/>.</summary>
public static class PinTypes
{
    private static readonly (string Name, PinType Type)[] Names =
    [
        ("pin", PinType.Data), ("meta-pin", PinType.Meta), ("clusterdag-pin", PinType.ClusterDag), ("shard-pin", PinType.Shard),
    ];

    /// <summary>The name in JSON: <c>pin</c>, <c>meta-pin</c>, <c>clusterdag-pin</c>, <c>shard-pin</c>, <c>all</c>, else <c>bad-type</c>.</summary>
    public static string ToText(this PinType type) => type switch
    {
        PinType.Data => "pin",
        PinType.Meta => "meta-pin",
        PinType.ClusterDag => "clusterdag-pin",
        PinType.Shard => "shard-pin",
        PinType.All => "all",
        _ => "bad-type",
    };

    /// <summary>Reads a name; <c>""</c> and <c>all</c> are <see cref="PinType.All"/>, an unknown name is <see cref="PinType.Bad"/>.</summary>
    public static PinType Parse(ReadOnlySpan<char> name)
    {
        if (name.IsEmpty || name is "all")
            return PinType.All;
        foreach (var (known, type) in Names)
        {
            if (name.SequenceEqual(known))
                return type;
        }

        return PinType.Bad;
    }

    /// <summary>
    /// Reads the comma list of <c>GET /allocations?filter=</c>: unknown names count for nothing as long as one is known, empty is
    /// <see cref="PinType.All"/>; false when no name is known (spec/rest-api.md 8.4).
    /// </summary>
    public static bool TryParseFilter(ReadOnlySpan<char> filter, out PinType types)
    {
        types = PinType.None;
        foreach (var range in filter.Split(','))
        {
            var type = Parse(filter[range]);
            if (type != PinType.Bad)
                types |= type;
        }

        return types != PinType.None;
    }

    /// <summary>The number under which the shared state stores the type, which is the place of its highest bit: 0 bad, 1 data, 2 meta, 3 cluster DAG, 4 shard.</summary>
    public static int ToStoredIndex(this PinType type) => type <= PinType.None ? 0 : int.Log2((int)type);

    /// <summary>The reverse of <see cref="ToStoredIndex"/>; numbers of later versions are kept, and print as <c>bad-type</c>.</summary>
    public static PinType FromStoredIndex(ulong index) => index < 31 ? (PinType)(1 << (int)index) : PinType.Bad;
}
