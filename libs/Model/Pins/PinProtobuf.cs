using System.Buffers;
using System.Text;
using Ipld;
using Libp2p;

namespace Cluster.Model;

/// <summary>
/// The form in which the shared state stores a pin (spec/crdt.md 7). Writing is deterministic: the same pin gives the same bytes on every
/// peer. User allocations and the mode are not part of it; times lose what is below a second.
/// </summary>
public static class PinProtobuf
{
    private const string Malformed = "proto: cannot parse invalid wire-format data";

    /// <summary>Writes <paramref name="pin"/> to <paramref name="output"/>.</summary>
    public static void Write(IBufferWriter<byte> output, Pin pin)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(pin);
        var size = Size(pin);
        var fields = new ProtobufFields(output.GetSpan(size));
        Fields(ref fields, pin);
        output.Advance(fields.Length);
    }

    /// <summary>The stored bytes of <paramref name="pin"/>.</summary>
    public static byte[] ToBytes(Pin pin)
    {
        ArgumentNullException.ThrowIfNull(pin);
        var bytes = new byte[Size(pin)];
        var fields = new ProtobufFields(bytes);
        Fields(ref fields, pin);
        return bytes;
    }

    /// <summary>Bytes that <see cref="Write"/> will write.</summary>
    public static int Size(Pin pin)
    {
        ArgumentNullException.ThrowIfNull(pin);
        var fields = new ProtobufFields(default, counting: true);
        Fields(ref fields, pin);
        return fields.Length;
    }

    /// <exception cref="FormatException">The bytes are no pin; the text is the original's.</exception>
    public static Pin Parse(ReadOnlySpan<byte> bytes) =>
        TryParse(bytes, out var pin, out var error) ? pin! : throw new FormatException(error);

    /// <summary>
    /// Reads a stored pin. Unknown fields are read over, an undecodable CID is undefined, an undecodable allocation or origin is an error.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out Pin? pin, out string error)
    {
        pin = null;
        var allocations = new List<PeerId>();
        ReadOnlySpan<byte> cid = default, reference = default;
        ulong type = 0, timestamp = 0;
        long depth = 0;
        var options = new OptionFields();
        error = string.Empty;
        string? badAllocation = null;

        var reader = new ProtobufReader(bytes);
        while (reader.Next())
        {
            switch (reader.Field, reader.Wire)
            {
                case (1, 2): cid = reader.Bytes; break;
                case (2, 0): type = reader.Varint; break;
                case (3, 2):
                    if (GoAddresses.TryReadPeerId(reader.Bytes, out var peer, out var complaint))
                        allocations.Add(peer);
                    else
                        badAllocation ??= complaint;
                    break;
                case (4, 0): depth = ProtobufReader.ZigZag(reader.Varint); break;
                case (5, 2): reference = reader.Bytes; break;
                case (6, 2):
                    if (!options.Read(reader.Bytes))
                    {
                        error = Malformed;
                        return false;
                    }

                    break;
                case (7, 0): timestamp = reader.Varint; break;
            }
        }

        if (reader.Failed)
        {
            error = Malformed;
            return false;
        }

        error = badAllocation ?? options.Error ?? string.Empty;
        if (error.Length > 0)
            return false;

        pin = new Pin
        {
            Cid = ReadCid(cid),
            Type = PinTypes.FromStoredIndex(type),
            Allocations = allocations,
            MaxDepth = unchecked((int)depth),
            Reference = ReadCid(reference),
            Timestamp = ReadTime(timestamp),
            Options = options.ToOptions(PinDepth.ToMode(unchecked((int)depth))),
        };
        return true;
    }

    private static Cid ReadCid(ReadOnlySpan<byte> bytes) => !bytes.IsEmpty && Cid.TryFromBytes(bytes, out var cid, out _) ? cid : default;

    private static GoTime ReadTime(ulong seconds) => seconds == 0 ? GoTime.Zero : GoTime.FromUnix(unchecked((long)seconds));

    private static void Fields(ref ProtobufFields fields, Pin pin)
    {
        fields.Bytes(1, pin.Cid.Bytes);
        fields.Varint(2, (ulong)pin.Type.ToStoredIndex());
        if (pin.Allocations is not null)
        {
            for (var i = 0; i < pin.Allocations.Count; i++)
                fields.BytesAlways(3, pin.Allocations[i].Bytes);
        }

        fields.ZigZag(4, pin.MaxDepth);
        fields.Bytes(5, pin.Reference.Bytes);

        var inner = new ProtobufFields(default, counting: true);
        OptionsOf(ref inner, pin.Options);
        fields.Header(6, 2);
        fields.RawVarint((ulong)inner.Length);
        OptionsOf(ref fields, pin.Options);

        fields.Varint(7, pin.Timestamp.IsZero ? 0 : unchecked((ulong)pin.Timestamp.UnixSeconds));
    }

    private static void OptionsOf(ref ProtobufFields fields, PinOptions options)
    {
        fields.ZigZag(1, options.Replication.Minimum);
        fields.ZigZag(2, options.Replication.Maximum);
        fields.Text(3, options.Name);
        fields.Varint(4, options.ShardSize);
        fields.Bytes(7, options.PinUpdate.Bytes);
        fields.Varint(8, options.ExpireAt.IsZero ? 0 : unchecked((ulong)options.ExpireAt.UnixSeconds));
        if (options.Origins is not null)
        {
            for (var i = 0; i < options.Origins.Count; i++)
                fields.BytesAlways(9, options.Origins[i].Bytes);
        }

        if (options.Metadata is null)
            return;
        foreach (ref readonly var entry in options.Metadata.Entries)
        {
            var inner = new ProtobufFields(default, counting: true);
            inner.Text(1, entry.Key);
            inner.Text(2, entry.Value);
            fields.Header(10, 2);
            fields.RawVarint((ulong)inner.Length);
            fields.Text(1, entry.Key);
            fields.Text(2, entry.Value);
        }
    }

    private ref struct OptionFields
    {
        private ReplicationFactors _factors;
        private string _name;
        private ulong _shardSize;
        private ulong _expireAt;
        private ReadOnlySpan<byte> _pinUpdate;
        private List<Multiaddr>? _origins;
        private List<KeyValuePair<string, string>>? _oldMetadata;
        private List<KeyValuePair<string, string>>? _metadata;

        /// <summary>What is wrong with an origin, if anything is.</summary>
        public string? Error { get; private set; }

        public bool Read(ReadOnlySpan<byte> bytes)
        {
            var reader = new ProtobufReader(bytes);
            while (reader.Next())
            {
                switch (reader.Field, reader.Wire)
                {
                    case (1, 0): _factors = _factors with { Minimum = unchecked((int)ProtobufReader.ZigZag(reader.Varint)) }; break;
                    case (2, 0): _factors = _factors with { Maximum = unchecked((int)ProtobufReader.ZigZag(reader.Varint)) }; break;
                    case (3, 2): _name = Encoding.UTF8.GetString(reader.Bytes); break;
                    case (4, 0): _shardSize = reader.Varint; break;
                    case (6, 2):
                        if (!Entry(reader.Bytes, _oldMetadata ??= []))
                            return false;
                        break;
                    case (7, 2): _pinUpdate = reader.Bytes; break;
                    case (8, 0): _expireAt = reader.Varint; break;
                    case (9, 2):
                        if (GoAddresses.TryReadMultiaddr(reader.Bytes, out var origin, out var complaint))
                            (_origins ??= []).Add(origin);
                        else
                            Error ??= complaint;
                        break;
                    case (10, 2):
                        if (!Entry(reader.Bytes, _metadata ??= []))
                            return false;
                        break;
                }
            }

            return !reader.Failed;
        }

        public readonly PinOptions ToOptions(PinMode mode) => new()
        {
            Replication = _factors,
            Name = _name ?? string.Empty,
            Mode = mode,
            ShardSize = _shardSize,
            ExpireAt = ReadTime(_expireAt),
            PinUpdate = ReadCid(_pinUpdate),
            Origins = _origins is null ? [] : _origins,
            // The sorted list replaced a map; where both are present the list wins.
            Metadata = _oldMetadata is null && _metadata is null
                ? null
                : Cluster.Model.Metadata.From((_oldMetadata ?? []).Concat(_metadata ?? [])),
        };

        private static bool Entry(ReadOnlySpan<byte> bytes, List<KeyValuePair<string, string>> entries)
        {
            string key = string.Empty, value = string.Empty;
            var reader = new ProtobufReader(bytes);
            while (reader.Next())
            {
                switch (reader.Field, reader.Wire)
                {
                    case (1, 2): key = Encoding.UTF8.GetString(reader.Bytes); break;
                    case (2, 2): value = Encoding.UTF8.GetString(reader.Bytes); break;
                }
            }

            entries.Add(new(key, value));
            return !reader.Failed;
        }
    }
}
