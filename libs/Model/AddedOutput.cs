using Ipld;
using Libp2p;

namespace Cluster.Model;

/// <summary>A line of the answer to <c>POST /add</c> (spec/rest-api.md 9.5).</summary>
public sealed record AddedOutput
{
    public string Name { get; init; } = string.Empty;

    /// <summary>Undefined in progress lines.</summary>
    public Cid Cid { get; init; }

    /// <summary>Bytes read so far; left out when 0.</summary>
    public ulong Bytes { get; init; }

    /// <summary>Cumulative size of the DAG; left out when 0.</summary>
    public ulong Size { get; init; }

    /// <summary>Peers that received the blocks; left out when empty.</summary>
    public IReadOnlyList<PeerId>? Allocations { get; init; }
}

/// <summary>The body of every failed REST answer. The code repeats the HTTP status: clients read it from here.</summary>
public sealed record ApiError(int Code, string Message);
