using System.Buffers;
using System.Text;
using Libp2p;

namespace Cluster.Model;

/// <summary>
/// The JSON of every answer, byte for byte as the original writes it (spec/rest-api.md 6). None of these writes a line end; a stream of
/// objects separates them with <c>\n</c>.
/// </summary>
public static partial class ModelJson
{
    public static void Write(IBufferWriter<byte> output, Pin pin)
    {
        ArgumentNullException.ThrowIfNull(pin);
        var json = new GoJsonWriter(output);
        json.Raw((byte)'{');
        Options(ref json, pin.Options);
        json.Raw(",\"cid\":"u8);
        json.Cid(pin.Cid);
        json.Raw(",\"type\":"u8);
        json.String(pin.Type.ToText());
        json.Raw(",\"allocations\":"u8);
        json.PeerIds(pin.Allocations);
        json.Raw(",\"max_depth\":"u8);
        json.Number(pin.MaxDepth);
        json.Raw(",\"reference\":"u8);
        json.Cid(pin.Reference);
        json.Raw(",\"timestamp\":"u8);
        json.Time(pin.Timestamp);
        json.Raw((byte)'}');
        json.Flush();
    }

    public static void Write(IBufferWriter<byte> output, PinOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var json = new GoJsonWriter(output);
        json.Raw((byte)'{');
        Options(ref json, options);
        json.Raw((byte)'}');
        json.Flush();
    }

    public static void Write(IBufferWriter<byte> output, GlobalPinInfo info)
    {
        ArgumentNullException.ThrowIfNull(info);
        var json = new GoJsonWriter(output);
        json.Raw("{\"cid\":"u8);
        json.Cid(info.Cid);
        json.Raw(",\"name\":"u8);
        json.String(info.Name);
        json.Raw(",\"allocations\":"u8);
        json.PeerIds(info.Allocations);
        json.Raw(",\"origins\":"u8);
        json.Multiaddrs(info.Origins);
        json.Raw(",\"created\":"u8);
        json.Time(info.Created);
        json.Raw(",\"metadata\":"u8);
        json.Map(info.Metadata);
        json.Raw(",\"peer_map\":"u8);
        if (info.PeerMap is null)
        {
            json.Null();
        }
        else
        {
            json.Raw((byte)'{');
            var peers = PeerOrder.Sorted(info.PeerMap);
            for (var i = 0; i < peers.Count; i++)
            {
                if (i > 0)
                    json.Raw((byte)',');
                var (peer, status) = peers[i];
                json.PeerId(peer);
                json.Raw(":{"u8);
                ShortInfo(ref json, status);
                json.Raw((byte)'}');
            }

            json.Raw((byte)'}');
        }

        json.Raw((byte)'}');
        json.Flush();
    }

    public static void Write(IBufferWriter<byte> output, PinInfo info)
    {
        ArgumentNullException.ThrowIfNull(info);
        var json = new GoJsonWriter(output);
        json.Raw("{\"cid\":"u8);
        json.Cid(info.Cid);
        json.Raw(",\"name\":"u8);
        json.String(info.Name);
        json.Raw(",\"peer\":"u8);
        json.PeerId(info.Peer);
        json.Raw(",\"allocations\":"u8);
        json.PeerIds(info.Allocations);
        json.Raw(",\"origins\":"u8);
        json.Multiaddrs(info.Origins);
        json.Raw(",\"created\":"u8);
        json.Time(info.Created);
        json.Raw(",\"metadata\":"u8);
        json.Map(info.Metadata);
        json.Raw((byte)',');
        ShortInfo(ref json, info.Info);
        json.Raw((byte)'}');
        json.Flush();
    }

    /// <summary>A JSON array of what <paramref name="write"/> prints; null is printed as <c>null</c>.</summary>
    public static void WriteArray<T>(IBufferWriter<byte> output, IReadOnlyList<T>? items, Action<IBufferWriter<byte>, T> write)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(write);
        if (items is null)
        {
            output.Write("null"u8);
            return;
        }

        output.Write("["u8);
        for (var i = 0; i < items.Count; i++)
        {
            if (i > 0)
                output.Write(","u8);
            write(output, items[i]);
        }

        output.Write("]"u8);
    }

    /// <summary>A JSON array of texts; null is printed as <c>null</c>.</summary>
    public static void Write(IBufferWriter<byte> output, IReadOnlyList<string>? texts)
    {
        var json = new GoJsonWriter(output);
        json.Strings(texts);
        json.Flush();
    }

    /// <summary>What a writer prints, as text: for logs, tests and command lines.</summary>
    public static string ToText<T>(T value, Action<IBufferWriter<byte>, T> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        var buffer = new ArrayBufferWriter<byte>();
        write(buffer, value);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void Options(ref GoJsonWriter json, PinOptions options)
    {
        json.Raw("\"replication_factor_min\":"u8);
        json.Number(options.Replication.Minimum);
        json.Raw(",\"replication_factor_max\":"u8);
        json.Number(options.Replication.Maximum);
        json.Raw(",\"name\":"u8);
        json.String(options.Name);
        json.Raw(options.Mode == PinMode.Direct ? ",\"mode\":\"direct\",\"shard_size\":"u8 : ",\"mode\":\"recursive\",\"shard_size\":"u8);
        json.Number(options.ShardSize);
        json.Raw(",\"user_allocations\":"u8);
        json.PeerIds(options.UserAllocations);
        json.Raw(",\"expire_at\":"u8);
        json.Time(options.ExpireAt);
        json.Raw(",\"metadata\":"u8);
        json.Map(options.Metadata);
        json.Raw(",\"pin_update\":"u8);
        json.Cid(options.PinUpdate);
        json.Raw(",\"origins\":"u8);
        json.Multiaddrs(options.Origins);
    }

    private static void ShortInfo(ref GoJsonWriter json, PinInfoShort info)
    {
        json.Raw("\"peername\":"u8);
        json.String(info.PeerName);
        if (info.IpfsPeerId.Length > 0)
        {
            json.Raw(",\"ipfs_peer_id\":"u8);
            json.String(info.IpfsPeerId);
        }

        if (info.IpfsPeerAddresses is { Count: > 0 })
        {
            json.Raw(",\"ipfs_peer_addresses\":"u8);
            json.Strings(info.IpfsPeerAddresses);
        }

        json.Raw(",\"status\":"u8);
        json.String(info.Status.ToText());
        json.Raw(",\"timestamp\":"u8);
        json.Time(info.Timestamp);
        json.Raw(",\"error\":"u8);
        json.String(info.Error);
        json.Raw(",\"attempt_count\":"u8);
        json.Number(info.AttemptCount);
        json.Raw(",\"priority_pin\":"u8);
        json.Boolean(info.PriorityPin);
    }
}
