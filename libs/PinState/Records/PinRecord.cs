using System.Text;
using Cluster.Model;
using Ipld;
using Libp2p;

namespace Cluster.PinState.Records;

/// <summary>
/// The stored form of a pin: the wire form of <c>ipfscluster.v1.Pin</c> (protos/ipfscluster/v1/types.proto), so that a list goes from
/// the disk to a caller without being decoded. As in the original, user allocations are not kept, times lose what is below a second
/// and the mode follows from the depth (spec/behaviour.md 1.1).
/// </summary>
public static class PinRecord
{
    /// <summary>The stored bytes of <paramref name="pin"/>.</summary>
    public static byte[] ToBytes(Pin pin)
    {
        var options = pin.Options;
        var optionsSize = OptionsSize(pin);
        var size = SizeOfBytes(pin.Cid.Bytes.Length) + 2 + SizeOfAllocations(pin) + 6 + SizeOfBytes(pin.Reference.Bytes.Length)
            + TimeSize(pin.Timestamp) + SizeOfBytes(optionsSize, evenEmpty: true);
        var bytes = new byte[size];
        var writer = new WireWriter(bytes);
        writer.Bytes(1, pin.Cid.Bytes);
        writer.Varint(2, (ulong)pin.Type.ToStoredIndex());
        if (pin.Allocations is not null)
        {
            for (var i = 0; i < pin.Allocations.Count; i++)
                writer.BytesAlways(3, pin.Allocations[i].Bytes);
        }

        writer.Signed(4, pin.MaxDepth);
        writer.Bytes(5, pin.Reference.Bytes);
        WriteTime(ref writer, 6, pin.Timestamp);
        writer.Header(7, optionsSize);
        WriteOptions(ref writer, pin, options);
        return writer.Length == bytes.Length ? bytes : bytes[..writer.Length];
    }

    /// <summary>Reads a record.</summary>
    /// <exception cref="FormatException">The bytes are damaged.</exception>
    public static Pin Read(ReadOnlySpan<byte> record)
    {
        Cid cid = default, reference = default;
        var type = PinType.Bad;
        var depth = 0;
        GoTime timestamp = default;
        ReadOnlySpan<byte> options = default;
        List<PeerId>? allocations = null;
        var reader = new WireReader(record);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: cid = Cid.FromBytes(reader.Bytes); break;
                case 2: type = PinTypes.FromStoredIndex(reader.Varint); break;
                case 3: (allocations ??= []).Add(PeerId.FromBytes(reader.Bytes)); break;
                case 4: depth = reader.Signed; break;
                case 5: reference = Cid.FromBytes(reader.Bytes); break;
                case 6: timestamp = ReadTime(reader.Bytes); break;
                case 7: options = reader.Bytes; break;
            }
        }

        return new Pin
        {
            Cid = cid,
            Type = type,
            Allocations = allocations is null ? [] : allocations,
            MaxDepth = depth,
            Reference = reference,
            Timestamp = timestamp,
            Options = ReadOptions(options, PinDepth.ToMode(depth)),
        };
    }

    internal static GoTime ReadTime(ReadOnlySpan<byte> bytes)
    {
        long seconds = 0, nanos = 0;
        var reader = new WireReader(bytes);
        while (reader.Next())
        {
            if (reader.Field == 1)
                seconds = unchecked((long)reader.Varint);
            else if (reader.Field == 2)
                nanos = unchecked((long)reader.Varint);
        }

        return GoTime.FromUnix(seconds, nanos);
    }

    private static PinOptions ReadOptions(ReadOnlySpan<byte> bytes, PinMode mode)
    {
        int minimum = 0, maximum = 0;
        var name = string.Empty;
        ulong shardSize = 0;
        GoTime expireAt = default;
        List<KeyValuePair<string, string>>? metadata = null;
        Cid update = default;
        List<Multiaddr>? origins = null;
        var reader = new WireReader(bytes);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: minimum = reader.Signed; break;
                case 2: maximum = reader.Signed; break;
                case 3: name = Encoding.UTF8.GetString(reader.Bytes); break;
                case 5: shardSize = reader.Varint; break;
                case 7: expireAt = ReadTime(reader.Bytes); break;
                case 8: (metadata ??= []).Add(ReadEntry(reader.Bytes)); break;
                case 9: update = Cid.FromBytes(reader.Bytes); break;
                case 10: (origins ??= []).Add(Multiaddr.FromBytes(reader.Bytes)); break;
            }
        }

        return new PinOptions
        {
            Replication = new ReplicationFactors(minimum, maximum),
            Name = name,
            Mode = mode,
            ShardSize = shardSize,
            ExpireAt = expireAt,
            Metadata = metadata is null ? null : Metadata.From(metadata),
            PinUpdate = update,
            Origins = origins is null ? [] : origins,
        };
    }

    private static KeyValuePair<string, string> ReadEntry(ReadOnlySpan<byte> bytes)
    {
        string key = string.Empty, value = string.Empty;
        var reader = new WireReader(bytes);
        while (reader.Next())
        {
            if (reader.Field == 1)
                key = Encoding.UTF8.GetString(reader.Bytes);
            else if (reader.Field == 2)
                value = Encoding.UTF8.GetString(reader.Bytes);
        }

        return new(key, value);
    }

    private static void WriteOptions(ref WireWriter writer, Pin pin, PinOptions options)
    {
        writer.Signed(1, options.Replication.Minimum);
        writer.Signed(2, options.Replication.Maximum);
        writer.Text(3, options.Name);
        writer.Varint(4, (ulong)PinDepth.ToMode(pin.MaxDepth));
        writer.Varint(5, options.ShardSize);
        if (HasExpiry(options))
            WriteTime(ref writer, 7, options.ExpireAt);
        if (options.Metadata is not null)
        {
            foreach (ref readonly var entry in options.Metadata.Entries)
            {
                writer.Header(8, EntrySize(entry));
                writer.Text(1, entry.Key);
                writer.Text(2, entry.Value);
            }
        }

        writer.Bytes(9, options.PinUpdate.Bytes);
        if (options.Origins is null)
            return;
        for (var i = 0; i < options.Origins.Count; i++)
            writer.BytesAlways(10, options.Origins[i].Bytes);
    }

    /// <summary>Judged by what is stored: an expiry within the first second of 1970 is none.</summary>
    private static bool HasExpiry(PinOptions options) => !IsUnset(options.ExpireAt) && options.ExpireAt.UnixSeconds != 0;

    private static bool IsUnset(GoTime time) => time.ToStoredPrecision().IsZero;

    private static void WriteTime(ref WireWriter writer, int field, GoTime time)
    {
        if (IsUnset(time))
            return;
        var seconds = unchecked((ulong)time.UnixSeconds);
        writer.Header(field, seconds == 0 ? 0 : 1 + WireWriter.VarintSize(seconds));
        writer.Varint(1, seconds);
    }

    private static int TimeSize(GoTime time) => IsUnset(time) ? 0 : 3 + WireWriter.VarintSize(unchecked((ulong)time.UnixSeconds));

    private static int OptionsSize(Pin pin)
    {
        var options = pin.Options;
        var size = SizeOfVarint(WireWriter.ZigZag(options.Replication.Minimum)) + SizeOfVarint(WireWriter.ZigZag(options.Replication.Maximum))
            + SizeOfText(options.Name) + SizeOfVarint((ulong)PinDepth.ToMode(pin.MaxDepth)) + SizeOfVarint(options.ShardSize)
            + (HasExpiry(options) ? ExactTimeSize(options.ExpireAt) : 0) + SizeOfBytes(options.PinUpdate.Bytes.Length);
        if (options.Metadata is not null)
        {
            foreach (ref readonly var entry in options.Metadata.Entries)
                size += SizeOfBytes(EntrySize(entry), evenEmpty: true);
        }

        if (options.Origins is not null)
        {
            for (var i = 0; i < options.Origins.Count; i++)
                size += SizeOfBytes(options.Origins[i].Bytes.Length, evenEmpty: true);
        }

        return size;
    }

    private static int ExactTimeSize(GoTime time)
    {
        if (IsUnset(time))
            return 0;
        var seconds = unchecked((ulong)time.UnixSeconds);
        return seconds == 0 ? 2 : 3 + WireWriter.VarintSize(seconds);
    }

    private static int EntrySize(in KeyValuePair<string, string> entry) => SizeOfText(entry.Key) + SizeOfText(entry.Value);

    private static int SizeOfAllocations(Pin pin)
    {
        var size = 0;
        if (pin.Allocations is not null)
        {
            for (var i = 0; i < pin.Allocations.Count; i++)
                size += SizeOfBytes(pin.Allocations[i].Bytes.Length, evenEmpty: true);
        }

        return size;
    }

    // All field numbers are below 16: a tag is one byte.
    private static int SizeOfVarint(ulong value) => value == 0 ? 0 : 1 + WireWriter.VarintSize(value);

    private static int SizeOfText(string text) => SizeOfBytes(Encoding.UTF8.GetByteCount(text));

    private static int SizeOfBytes(int length, bool evenEmpty = false) =>
        length == 0 && !evenEmpty ? 0 : 1 + WireWriter.VarintSize((ulong)length) + length;
}
