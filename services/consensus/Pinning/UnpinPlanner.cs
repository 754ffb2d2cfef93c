using Cluster.Consensus.Replication;
using Cluster.Model;
using Cluster.PinState;
using Ipld;
using Microsoft.Extensions.Logging;

namespace Cluster.Consensus.Pinning;

/// <summary>Reads the links of a cluster DAG's root block: the shards.</summary>
public interface IClusterDagReader
{
    /// <summary>The CIDs that the block links to.</summary>
    /// <exception cref="ClusterException">The daemon cannot give the block, or it is no cluster DAG.</exception>
    Task<IReadOnlyList<Cid>> ReadLinksAsync(Cid clusterDag, CancellationToken cancellationToken);
}

/// <summary>What an unpin takes out of the pinset.</summary>
/// <param name="Pin">The pin as it was.</param>
/// <param name="Operations">What is to be committed.</param>
public readonly record struct UnpinPlan(Pin Pin, IReadOnlyList<StateOperation> Operations);

/// <summary>Decides what becomes of a request to unpin (spec/behaviour.md 4).</summary>
public sealed class UnpinPlanner(PinStore state, IClusterDagReader dags, PinPlanner pins, ILogger logger)
{
    /// <summary>The operations for one CID.</summary>
    /// <exception cref="ClusterException">Refused, with the text of the specification.</exception>
    public ValueTask<UnpinPlan> PlanAsync(Cid cid, CancellationToken cancellationToken)
    {
        pins.RefuseFollower();
        if (logger.IsEnabled(LogLevel.Information))
            Log.Unpinning(logger, cid);
        var pin = state.Find(cid) ?? throw new ClusterException(ClusterErrorKind.NotFound, PinValidation.NotInPinset);
        switch (pin.Type)
        {
            case PinType.Data:
                return new(new UnpinPlan(pin, [StateOperation.Remove(cid)]));
            case PinType.Shard:
                throw Refused("cannot unpin a shard directly. Unpin content root CID instead");
            case PinType.ClusterDag:
                throw Refused("cannot unpin a Cluster DAG directly. Unpin content root CID instead");
            case PinType.Meta:
                return PlanMetaAsync(pin, cancellationToken);
            default:
                throw Refused("unrecognized pin type");
        }
    }

    /// <summary>Shards and cluster DAG go with the meta pin. Of a shard that another DAG shares, the original unpins it all the same.</summary>
    private async ValueTask<UnpinPlan> PlanMetaAsync(Pin meta, CancellationToken cancellationToken)
    {
        var operations = new List<StateOperation>();
        foreach (var shard in await dags.ReadLinksAsync(meta.Reference, cancellationToken))
        {
            // What the DAG names and the pinset does not know is no shard of ours.
            if (state.Find(shard) is { Type: PinType.Shard })
                operations.Add(StateOperation.Remove(shard));
        }

        operations.Add(StateOperation.Remove(meta.Reference));
        operations.Add(StateOperation.Remove(meta.Cid));
        return new UnpinPlan(meta, operations);
    }

    private static ClusterException Refused(string text) => new(ClusterErrorKind.FailedPrecondition, text);
}
