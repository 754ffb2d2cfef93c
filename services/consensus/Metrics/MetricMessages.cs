using Cluster.Model;
using Google.Protobuf;
using Libp2p;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Metrics;

/// <summary>Metrics as messages of the contracts.</summary>
internal static class MetricMessages
{
    /// <summary>A metric whose peer is no peer id has none.</summary>
    internal static Metric Read(V1.Metric metric) => new()
    {
        Name = metric.Name,
        Peer = PeerId.TryFromBytes(metric.Peer.Span, out var peer, out _) ? peer : default,
        Value = metric.Value,
        Expire = metric.Expire,
        Valid = metric.Valid,
        Weight = metric.Weight,
        Partitionable = metric.Partitionable,
        ReceivedAt = metric.ReceivedAt,
    };

    internal static V1.Metric Write(Metric metric) => new()
    {
        Name = metric.Name,
        Peer = UnsafeByteOperations.UnsafeWrap(metric.Peer.ToBytes()),
        Value = metric.Value,
        Expire = metric.Expire,
        Valid = metric.Valid,
        Weight = metric.Weight,
        Partitionable = metric.Partitionable,
        ReceivedAt = metric.ReceivedAt,
    };
}
