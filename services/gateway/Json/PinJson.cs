using System.Buffers;
using Cluster.Contracts.V1;
using Cluster.Model;
using Pin = Cluster.Contracts.V1.Pin;
using PinMode = Cluster.Contracts.V1.PinMode;
using PinType = Cluster.Contracts.V1.PinType;

namespace Cluster.Gateway.Json;

/// <summary>Pins as JSON (<c>spec/rest-api.md</c> section 6.1).</summary>
public static class PinJson
{
    /// <summary>A pin read back from the pinset: absent metadata are <c>null</c>, absent origins <c>[]</c>.</summary>
    public static void WriteStored(IBufferWriter<byte> output, Pin pin) => Write(output, pin, null);

    /// <summary>The answer to a submission, which echoes the request: preferred peers, the expiry as it was written, empty metadata as
    /// <c>{}</c>, absent origins as <c>null</c>.</summary>
    public static void WriteSubmitted(IBufferWriter<byte> output, Pin pin, Model.PinOptions asked) => Write(output, pin, asked);

    private static void Write(IBufferWriter<byte> output, Pin pin, Model.PinOptions? asked)
    {
        ArgumentNullException.ThrowIfNull(pin);
        Contracts.V1.PinOptions options = pin.Options ?? new();
        var json = new GoJsonWriter(output);
        json.Raw("{\"replication_factor_min\":"u8);
        json.Number(options.ReplicationFactorMin);
        json.Raw(",\"replication_factor_max\":"u8);
        json.Number(options.ReplicationFactorMax);
        json.Raw(",\"name\":"u8);
        json.String(options.Name);
        json.Raw(options.Mode == PinMode.Direct ? ",\"mode\":\"direct\",\"shard_size\":"u8 : ",\"mode\":\"recursive\",\"shard_size\":"u8);
        json.Number(options.ShardSize);
        json.Raw(",\"user_allocations\":"u8);
        json.PeerIds(asked?.UserAllocations);
        json.Raw(",\"expire_at\":"u8);
        json.Time(asked is not null && options.ExpireAt is { } at && asked.ExpireAt.UnixSeconds == at.Seconds ? asked.ExpireAt : Fields.ToGoTime(options.ExpireAt));
        json.Raw(",\"metadata\":"u8);
        if (options.Metadata.Count > 0 || asked is not null) Fields.Map(ref json, options.Metadata);
        else json.Null();
        json.Raw(",\"pin_update\":"u8);
        CidText.Write(ref json, options.PinUpdate.Span);
        json.Raw(",\"origins\":"u8);
        if (options.Origins.Count == 0 && asked is not null) json.Null();
        else Fields.Addresses(ref json, options.Origins);
        json.Raw(",\"cid\":"u8);
        CidText.Write(ref json, pin.Cid.Span);
        json.Raw(pin.Type switch
        {
            PinType.Data => ",\"type\":\"pin\",\"allocations\":"u8,
            PinType.Meta => ",\"type\":\"meta-pin\",\"allocations\":"u8,
            PinType.ClusterDag => ",\"type\":\"clusterdag-pin\",\"allocations\":"u8,
            PinType.Shard => ",\"type\":\"shard-pin\",\"allocations\":"u8,
            _ => ",\"type\":\"bad-type\",\"allocations\":"u8,
        });
        Fields.Peers(ref json, pin.Allocations);
        json.Raw(",\"max_depth\":"u8);
        json.Number(pin.MaxDepth);
        json.Raw(",\"reference\":"u8);
        CidText.Write(ref json, pin.Reference.Span);
        json.Raw(",\"timestamp\":"u8);
        Fields.LocalTime(ref json, pin.Timestamp);
        json.Raw((byte)'}');
        json.Flush();
    }
}
