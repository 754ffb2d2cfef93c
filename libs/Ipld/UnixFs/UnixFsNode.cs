namespace Ipld;

/// <summary>Kinds of UnixFS nodes, by their number in the protobuf.</summary>
public enum UnixFsType
{
    /// <summary>A piece of a file without a name (leaves of trickle DAGs).</summary>
    Raw = 0,
    /// <summary>A directory whose links are its entries.</summary>
    Directory = 1,
    /// <summary>A file, or a piece of one.</summary>
    File = 2,
    /// <summary>Metadata of a file (unused).</summary>
    Metadata = 3,
    /// <summary>A symbolic link; the data is its target.</summary>
    Symlink = 4,
    /// <summary>A slot table of a large directory.</summary>
    HamtShard = 5,
}

/// <summary>The data part of a dag-pb node that is a UnixFS node (protobuf <c>unixfs.pb.Data</c>).</summary>
public sealed record UnixFsNode
{
    private const int TypeField = 1;
    private const int DataField = 2;
    private const int FileSizeField = 3;
    private const int BlockSizesField = 4;
    private const int HashTypeField = 5;
    private const int FanoutField = 6;
    private const int ModeField = 7;
    private const int MtimeField = 8;

    /// <summary>The kind.</summary>
    public required UnixFsType Type { get; init; }

    /// <summary>Content of a leaf, target of a symlink, bit field of a HAMT shard. Absent is not the same as empty.</summary>
    public ReadOnlyMemory<byte>? Data { get; init; }

    /// <summary>Bytes of the file below and in this node.</summary>
    public ulong? FileSize { get; init; }

    /// <summary>Bytes of the file below each link.</summary>
    public IReadOnlyList<ulong> BlockSizes { get; init; } = [];

    /// <summary>Hash of the names in a HAMT shard (multihash code).</summary>
    public ulong? HashType { get; init; }

    /// <summary>Slots of a HAMT shard.</summary>
    public ulong? Fanout { get; init; }

    /// <summary>Unix permissions and more, where given.</summary>
    public uint? Mode { get; init; }

    /// <summary>Seconds since 1970 and nanoseconds, where given.</summary>
    public (long Seconds, uint? Nanoseconds)? Mtime { get; init; }

    /// <summary>What go-unixfs calls the file size: 0 for directories, the target's length for symlinks.</summary>
    public ulong ContentSize => Type switch
    {
        UnixFsType.File or UnixFsType.Raw => FileSize ?? 0,
        UnixFsType.Symlink => (ulong)(Data?.Length ?? 0),
        _ => 0,
    };

    /// <summary>Encodes in field order.</summary>
    public byte[] Encode()
    {
        var size = ProtobufWriter.VarintSize((ulong)Type)
            + (Data is { } data ? ProtobufWriter.BytesSize(data.Length) : 0)
            + OptionalSize(FileSize) + OptionalSize(HashType) + OptionalSize(Fanout) + OptionalSize(Mode);
        foreach (var blockSize in BlockSizes)
        {
            size += ProtobufWriter.VarintSize(blockSize);
        }

        var mtimeSize = 0;
        if (Mtime is { } mtime)
        {
            mtimeSize = 1 + ProtobufVarintSize(mtime.Seconds) + (mtime.Nanoseconds is null ? 0 : 5);
            size += ProtobufWriter.BytesSize(mtimeSize);
        }

        var bytes = new byte[size];
        var writer = new ProtobufWriter(bytes);
        writer.WriteVarint(TypeField, (ulong)Type);
        if (Data is { } content)
        {
            writer.WriteBytes(DataField, content.Span);
        }

        WriteOptional(ref writer, FileSizeField, FileSize);
        foreach (var blockSize in BlockSizes)
        {
            writer.WriteVarint(BlockSizesField, blockSize);
        }

        WriteOptional(ref writer, HashTypeField, HashType);
        WriteOptional(ref writer, FanoutField, Fanout);
        WriteOptional(ref writer, ModeField, Mode);
        if (Mtime is { } time)
        {
            writer.WriteBytesHeader(MtimeField, mtimeSize);
            writer.WriteVarint(1, (ulong)time.Seconds);
            if (time.Nanoseconds is { } nanoseconds)
            {
                var at = writer.Position;
                bytes[at] = (2 << 3) | ProtobufReader.Fixed32Type;
                System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at + 1), nanoseconds);
            }
        }

        return bytes;
    }

    /// <summary>Decodes; unknown fields are passed over, as protobuf does.</summary>
    /// <exception cref="IpldDecodeException">The bytes are not the protobuf, or the required type is missing.</exception>
    public static UnixFsNode Decode(ReadOnlySpan<byte> source)
    {
        var reader = new ProtobufReader(source);
        UnixFsType? type = null;
        byte[]? data = null;
        ulong? fileSize = null;
        ulong? hashType = null;
        ulong? fanout = null;
        uint? mode = null;
        (long, uint?)? mtime = null;
        var blockSizes = new List<ulong>();
        while (!reader.IsAtEnd)
        {
            var (field, wireType) = reader.ReadTag();
            switch (field, wireType)
            {
                case (TypeField, ProtobufReader.VarintType):
                    var number = reader.ReadVarint();
                    // An enum value that proto2 does not know counts as an unknown field.
                    type = number <= (ulong)UnixFsType.HamtShard ? (UnixFsType)number : type;
                    break;
                case (DataField, ProtobufReader.BytesType):
                    data = reader.ReadBytes().ToArray();
                    break;
                case (FileSizeField, ProtobufReader.VarintType):
                    fileSize = reader.ReadVarint();
                    break;
                case (BlockSizesField, ProtobufReader.VarintType):
                    blockSizes.Add(reader.ReadVarint());
                    break;
                case (BlockSizesField, ProtobufReader.BytesType):
                    var packed = new ProtobufReader(reader.ReadBytes());
                    while (!packed.IsAtEnd)
                    {
                        blockSizes.Add(packed.ReadVarint());
                    }

                    break;
                case (HashTypeField, ProtobufReader.VarintType):
                    hashType = reader.ReadVarint();
                    break;
                case (FanoutField, ProtobufReader.VarintType):
                    fanout = reader.ReadVarint();
                    break;
                case (ModeField, ProtobufReader.VarintType):
                    mode = (uint)reader.ReadVarint();
                    break;
                case (MtimeField, ProtobufReader.BytesType):
                    mtime = DecodeTime(reader.ReadBytes());
                    break;
                default:
                    reader.Skip(field, wireType);
                    break;
            }
        }

        return new UnixFsNode
        {
            Type = type ?? throw new IpldDecodeException("proto: required field unixfs.v1.pb.Data.Type not set"),
            Data = data is null ? (ReadOnlyMemory<byte>?)null : new ReadOnlyMemory<byte>(data),
            FileSize = fileSize,
            BlockSizes = blockSizes,
            HashType = hashType,
            Fanout = fanout,
            Mode = mode,
            Mtime = mtime,
        };
    }

    private static (long Seconds, uint? Nanoseconds) DecodeTime(ReadOnlySpan<byte> source)
    {
        var reader = new ProtobufReader(source);
        long seconds = 0;
        uint? nanoseconds = null;
        while (!reader.IsAtEnd)
        {
            var (field, wireType) = reader.ReadTag();
            switch (field, wireType)
            {
                case (1, ProtobufReader.VarintType):
                    seconds = (long)reader.ReadVarint();
                    break;
                case (2, ProtobufReader.Fixed32Type):
                    nanoseconds = reader.ReadFixed32();
                    break;
                default:
                    reader.Skip(field, wireType);
                    break;
            }
        }

        return (seconds, nanoseconds);
    }

    private static int ProtobufVarintSize(long value) => value < 0 ? 10 : Varint.Size((ulong)value);

    private static int OptionalSize(ulong? value) => value is { } present ? ProtobufWriter.VarintSize(present) : 0;

    private static void WriteOptional(ref ProtobufWriter writer, int field, ulong? value)
    {
        if (value is { } present)
        {
            writer.WriteVarint(field, present);
        }
    }
}
