using Cluster.Model;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Ipld;
using Libp2p;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Services;

/// <summary>Between the messages of pins and the model. What a caller sends is checked here; inside it is trusted.</summary>
internal static class PinMapping
{
    /// <summary>Names, metadata, origins and allocations together: a state of pins, not of documents.</summary>
    internal const int MaxOptionsBytes = 1 << 20;

    internal static Cid ToCid(ByteString bytes, string what = "cid") =>
        !bytes.IsEmpty && Cid.TryFromBytes(bytes.Span, out var cid, out _)
            ? cid
            : throw Bad(bytes.IsEmpty ? PinValidation.BadPin : $"{what} is no CID");

    internal static Cid ToOptionalCid(ByteString bytes, string what) => bytes.IsEmpty ? default : ToCid(bytes, what);

    internal static PeerId ToPeer(ByteString bytes) =>
        PeerId.TryFromBytes(bytes.Span, out var peer, out var error) ? peer : throw Bad($"bad peer id: {error}");

    internal static Multiaddr ToAddress(ByteString bytes) =>
        Multiaddr.TryFromBytes(bytes.Span, out var address, out var error) ? address! : throw Bad($"bad multiaddress: {error}");

    internal static GoTime ToTime(V1.Time? time) => time is null ? GoTime.Zero : GoTime.FromUnix(time.Seconds, time.Nanos);

    internal static PinOptions ToOptions(V1.PinOptions? options)
    {
        if (options is null)
            return PinOptions.Default;
        if (options.CalculateSize() > MaxOptionsBytes)
            throw Bad($"the options of the pin are larger than {MaxOptionsBytes} bytes");
        return new PinOptions
        {
            Replication = new ReplicationFactors(options.ReplicationFactorMin, options.ReplicationFactorMax),
            Name = options.Name,
            Mode = options.Mode == V1.PinMode.Direct ? PinMode.Direct : PinMode.Recursive,
            ShardSize = options.ShardSize,
            UserAllocations = options.UserAllocations.Count == 0 ? null : ToPeers(options.UserAllocations),
            ExpireAt = ToTime(options.ExpireAt),
            Metadata = options.Metadata.Count == 0 ? null : Metadata.From(options.Metadata),
            PinUpdate = ToOptionalCid(options.PinUpdate, "pin_update"),
            Origins = options.Origins.Count == 0 ? null : [.. options.Origins.Select(ToOrigin)],
        };
    }

    /// <summary>The pin that a request asks for: the preset of an adder, else a data pin of the mode's depth.</summary>
    internal static Pin ToPin(V1.PinRequest request) => ToPin(ToCid(request.Cid), request.Options, request.Preset);

    internal static Pin ToPin(Cid cid, V1.PinOptions? wanted, V1.Pin? preset)
    {
        var options = ToOptions(wanted ?? preset?.Options);
        if (preset is null)
            return Pin.WithOptions(cid, options);
        return new Pin
        {
            Cid = cid,
            Type = PinTypes.FromStoredIndex((ulong)preset.Type),
            MaxDepth = preset.MaxDepth,
            Reference = ToOptionalCid(preset.Reference, "reference"),
            Allocations = ToPeers(preset.Allocations),
            Options = options with { Mode = PinDepth.ToMode(preset.MaxDepth) },
        };
    }

    internal static V1.Pin ToMessage(Pin pin)
    {
        var message = new V1.Pin
        {
            Cid = UnsafeByteOperations.UnsafeWrap(pin.Cid.Memory),
            Type = (V1.PinType)pin.Type.ToStoredIndex(),
            MaxDepth = pin.MaxDepth,
            Timestamp = ToTime(pin.Timestamp),
            Options = ToMessage(pin.Options),
        };
        if (pin.Reference.IsDefined)
            message.Reference = UnsafeByteOperations.UnsafeWrap(pin.Reference.Memory);
        foreach (var peer in pin.Allocations ?? [])
            message.Allocations.Add(UnsafeByteOperations.UnsafeWrap(peer.ToBytes()));
        return message;
    }

    internal static V1.Time? ToTime(GoTime time) => time.IsZero ? null : new V1.Time { Seconds = time.UnixSeconds, Nanos = time.Nanosecond };

    private static V1.PinOptions ToMessage(PinOptions options)
    {
        var message = new V1.PinOptions
        {
            ReplicationFactorMin = options.Replication.Minimum,
            ReplicationFactorMax = options.Replication.Maximum,
            Name = options.Name,
            Mode = options.Mode == PinMode.Direct ? V1.PinMode.Direct : V1.PinMode.Recursive,
            ShardSize = options.ShardSize,
            ExpireAt = options.HasExpiry ? ToTime(options.ExpireAt) : null,
        };
        if (options.PinUpdate.IsDefined)
            message.PinUpdate = UnsafeByteOperations.UnsafeWrap(options.PinUpdate.Memory);
        foreach (var peer in options.UserAllocations ?? [])
            message.UserAllocations.Add(UnsafeByteOperations.UnsafeWrap(peer.ToBytes()));
        foreach (var (key, value) in options.Metadata ?? Metadata.Empty)
            message.Metadata[key] = value;
        foreach (var origin in options.Origins ?? [])
            message.Origins.Add(UnsafeByteOperations.UnsafeWrap(origin.ToBytes()));
        return message;
    }

    private static PeerId[] ToPeers(RepeatedField<ByteString> peers)
    {
        var result = new PeerId[peers.Count];
        for (var i = 0; i < result.Length; i++)
            result[i] = ToPeer(peers[i]);
        return result;
    }

    private static Multiaddr ToOrigin(ByteString bytes)
    {
        var address = ToAddress(bytes);
        return address.PeerId is null ? throw Bad($"multiaddress does not contain peer ID: {address}") : address;
    }

    private static ClusterException Bad(string text) => new(ClusterErrorKind.InvalidArgument, text);
}
