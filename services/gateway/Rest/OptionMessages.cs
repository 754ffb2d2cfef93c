using Cluster.Contracts.V1;
using Cluster.Model;
using Google.Protobuf;
using Ipld;
using Libp2p;
using PinMode = Cluster.Contracts.V1.PinMode;
using PinOptions = Cluster.Contracts.V1.PinOptions;

namespace Cluster.Gateway.Rest;

/// <summary>Values of the model as messages of the contracts.</summary>
internal static class OptionMessages
{
    public static ByteString Message(this Cid cid) => cid.IsDefined ? UnsafeByteOperations.UnsafeWrap(cid.Memory) : ByteString.Empty;

    public static ByteString Message(this PeerId peer) => ByteString.CopyFrom(peer.Bytes);

    public static Time? Message(this GoTime time) => time.IsZero ? null : new Time { Seconds = time.UnixSeconds, Nanos = time.Nanosecond };

    public static PinOptions Message(this Model.PinOptions options)
    {
        var message = new PinOptions
        {
            ReplicationFactorMin = options.Replication.Minimum,
            ReplicationFactorMax = options.Replication.Maximum,
            Name = options.Name,
            Mode = options.Mode == Model.PinMode.Direct ? PinMode.Direct : PinMode.Recursive,
            ShardSize = options.ShardSize,
            ExpireAt = options.ExpireAt.Message(),
            PinUpdate = options.PinUpdate.Message(),
        };
        foreach (PeerId peer in options.UserAllocations ?? []) message.UserAllocations.Add(peer.Message());
        foreach (Multiaddr origin in options.Origins ?? []) message.Origins.Add(ByteString.CopyFrom(origin.Bytes));
        foreach ((string key, string value) in options.Metadata ?? Metadata.Empty) message.Metadata[key] = value;
        return message;
    }
}
