using Cluster.Consensus.Clients;
using Cluster.Consensus.Replication;
using Cluster.Model;
using Ipld;

namespace Cluster.Consensus.Pinning;

/// <summary>Pins and unpins: plans, commits, and answers when it is durable.</summary>
public sealed class PinOperations(IConsensus consensus, PinPlanner pins, UnpinPlanner unpins, IDaemon daemon)
{
    /// <summary>Pins; gives the pin as submitted.</summary>
    public async ValueTask<Pin> PinAsync(Pin requested, CancellationToken cancellationToken)
    {
        var pin = pins.PlanPin(requested);
        await consensus.CommitAsync([StateOperation.Put(pin)], cancellationToken);
        return pin;
    }

    /// <summary>Unpins; gives the pin as it was.</summary>
    public async ValueTask<Pin> UnpinAsync(Cid cid, CancellationToken cancellationToken)
    {
        var plan = await unpins.PlanAsync(cid, cancellationToken);
        await consensus.CommitAsync(plan.Operations, cancellationToken);
        return plan.Pin;
    }

    /// <summary>The CID of a path; what names one directly asks nobody (spec/behaviour.md 6).</summary>
    public ValueTask<Cid> ResolveAsync(string path, CancellationToken cancellationToken) =>
        TryImmutable(path, out var cid) ? new(cid) : daemon.ResolveAsync(path, cancellationToken);

    private static bool TryImmutable(string path, out Cid cid)
    {
        cid = default;
        var rest = path.AsSpan();
        if (rest.StartsWith("/ipfs/", StringComparison.Ordinal) || rest.StartsWith("/ipld/", StringComparison.Ordinal))
            rest = rest[6..];
        return !rest.Contains('/') && Cid.TryParse(rest, out cid, out _);
    }
}
