using Cluster.Model;
using Google.Protobuf;
using Grpc.Core;
using Libp2p;
using Message = Cluster.Contracts.V1;

namespace Cluster.Monitor.Serving;

/// <summary>Metrics and alerts as messages.</summary>
internal static class MetricMessages
{
    /// <summary>Longest name or value taken; longer ones are nobody's metric.</summary>
    private const int MaxText = 64 * 1024;

    /// <exception cref="RpcException">INVALID_ARGUMENT: the peer is none, or a text is too long.</exception>
    public static Metric Read(Message.Metric message)
    {
        if (message.Name.Length > MaxText || message.Value.Length > MaxText)
            throw new RpcException(new Status(StatusCode.InvalidArgument, $"the metric's name or value is longer than {MaxText} characters"));
        return new Metric
        {
            Name = message.Name,
            Peer = ReadPeer(message.Peer.Span),
            Value = message.Value,
            Expire = message.Expire,
            Valid = message.Valid,
            Weight = message.Weight,
            Partitionable = message.Partitionable,
            ReceivedAt = message.ReceivedAt,
        };
    }

    public static Message.Metric Write(Metric metric) => new()
    {
        Name = metric.Name,
        Peer = ByteString.CopyFrom(metric.Peer.Bytes),
        Value = metric.Value,
        Expire = metric.Expire,
        Valid = metric.Valid,
        Weight = metric.Weight,
        Partitionable = metric.Partitionable,
        ReceivedAt = metric.ReceivedAt,
    };

    public static Message.Alert Write(Alert alert) => new()
    {
        Metric = Write(alert.Metric),
        TriggeredAt = new Message.Time { Seconds = alert.TriggeredAt.UnixSeconds, Nanos = alert.TriggeredAt.Nanosecond },
    };

    /// <exception cref="RpcException">INVALID_ARGUMENT: the bytes are no peer id.</exception>
    public static PeerId ReadPeer(ReadOnlySpan<byte> bytes) =>
        PeerId.TryFromBytes(bytes, out var peer, out var why)
            ? peer
            : throw new RpcException(new Status(StatusCode.InvalidArgument, $"not a peer id: {why}"));
}
