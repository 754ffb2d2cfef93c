using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;

namespace Ipld;

/// <summary>A broken CAR; the message is that of go-car 0.6 where it has one.</summary>
public sealed class CarException : Exception
{
    /// <summary>With the message.</summary>
    public CarException(string message)
        : base(message)
    {
    }

    /// <summary>Without a message.</summary>
    public CarException()
    {
    }

    /// <summary>With an inner cause.</summary>
    public CarException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>Reads a CAR as it arrives: header, then blocks one by one, each checked against its CID.</summary>
/// <remarks>Memory: one section, at most <see cref="MaxSectionSize"/>; a length that is only claimed allocates nothing.</remarks>
public sealed class CarReader : IDisposable
{
    /// <summary>Longest header or section in bytes (go-car, MaxAllowedSectionSize).</summary>
    public const int MaxSectionSize = 32 * 1024 * 1024;

    private const string TooLarge = "malformed car; header is bigger than util.MaxAllowedSectionSize";
    private const string Truncated = "unexpected EOF";
    private const int Version2HeaderLength = 40;
    private const int FirstRead = 64 * 1024;

    private readonly Stream _source;
    private readonly byte[] _input = ArrayPool<byte>.Shared.Rent(FirstRead);
    private byte[] _section = ArrayPool<byte>.Shared.Rent(FirstRead);
    private int _inputStart;
    private int _inputEnd;
    private long _left = long.MaxValue;
    private bool _ended;
    private bool _disposed;

    private CarReader(Stream source) => _source = source;

    /// <summary>The roots of the header; may be empty.</summary>
    public IReadOnlyList<Cid> Roots { get; private set; } = [];

    /// <summary>1 or 2.</summary>
    public int Version { get; private set; }

    /// <summary>Reads the header.</summary>
    /// <param name="source">Not closed by the reader.</param>
    /// <param name="acceptVersion2">Whether a CARv2 is read through; else it is refused, as the original does.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="CarException"><c>EOF</c> for no bytes at all, <c>unexpected EOF</c>, <c>invalid car version: n</c>, …</exception>
    public static async ValueTask<CarReader> OpenAsync(Stream source, bool acceptVersion2, CancellationToken cancellationToken)
    {
        var reader = new CarReader(source);
        try
        {
            await reader.ReadHeaderAsync(acceptVersion2, cancellationToken).ConfigureAwait(false);
            return reader;
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    /// <summary>Reads the next block; null at the end. The data is valid until the next call.</summary>
    /// <exception cref="CarException">The section is broken or its hash does not match.</exception>
    /// <exception cref="CidFormatException">The section's CID cannot be read or its hash not computed.</exception>
    public async ValueTask<(Cid Cid, ReadOnlyMemory<byte> Data)?> ReadBlockAsync(CancellationToken cancellationToken)
    {
        if (_ended)
        {
            return null;
        }

        // A section of no length ends the CAR: padding follows.
        if (await ReadSectionAsync(cancellationToken).ConfigureAwait(false) is not { Length: > 0 } section)
        {
            _ended = true;
            return null;
        }

        var length = CarCid.Read(section.Span, out var cid);
        var data = section[length..];
        var hashed = CidPrefix.Of(cid).Sum(cid.Codec, data.Span);
        return hashed == cid ? (cid, data) : throw new CarException($"mismatch in content integrity, name: {cid}, data: {hashed}");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            ArrayPool<byte>.Shared.Return(_input);
            ArrayPool<byte>.Shared.Return(_section);
        }
    }

    private async ValueTask ReadHeaderAsync(bool acceptVersion2, CancellationToken cancellationToken)
    {
        var header = await ReadSectionAsync(cancellationToken).ConfigureAwait(false) ?? throw new CarException("EOF");
        var version = ParseHeader(header.Span);
        if (version == 2 && acceptVersion2)
        {
            await EnterVersion2Async(cancellationToken).ConfigureAwait(false);
            Version = 2;
            return;
        }

        if (version != 1)
        {
            throw new CarException(string.Create(CultureInfo.InvariantCulture, $"invalid car version: {version}"));
        }

        Version = 1;
    }

    // CARv2: after the pragma 16 bytes of characteristics, then offset and size of the CARv1 within, then the index's offset.
    private async ValueTask EnterVersion2Async(CancellationToken cancellationToken)
    {
        const int pragmaLength = 11;
        await ReadExactlyAsync(Version2HeaderLength, cancellationToken).ConfigureAwait(false);
        var offset = BinaryPrimitives.ReadUInt64LittleEndian(_section.AsSpan(16));
        var size = BinaryPrimitives.ReadUInt64LittleEndian(_section.AsSpan(24));
        if (offset < pragmaLength + Version2HeaderLength || offset > long.MaxValue || size > long.MaxValue)
        {
            throw new CarException("malformed car; the data offset of the CARv2 header is out of range");
        }

        for (var padding = (long)offset - pragmaLength - Version2HeaderLength; padding > 0;)
        {
            var take = (int)Math.Min(padding, FirstRead);
            await ReadExactlyAsync(take, cancellationToken).ConfigureAwait(false);
            padding -= take;
        }

        // What was read ahead counts, and may already reach beyond the end.
        var ahead = _inputEnd - _inputStart;
        _inputEnd = _inputStart + (int)Math.Min((ulong)ahead, size);
        _left = (long)size - (_inputEnd - _inputStart);
        var header = await ReadSectionAsync(cancellationToken).ConfigureAwait(false) ?? throw new CarException(Truncated);
        var version = ParseHeader(header.Span);
        if (version != 1)
        {
            throw new CarException(string.Create(CultureInfo.InvariantCulture, $"invalid car version: {version}"));
        }
    }

    private ulong ParseHeader(ReadOnlySpan<byte> header)
    {
        try
        {
            var reader = new DagCborReader(header);
            ulong version = 0;
            var roots = new List<Cid>();
            for (var pairs = reader.ReadMapHead(); pairs > 0; pairs--)
            {
                switch (reader.ReadText())
                {
                    case "version":
                        var number = reader.ReadInteger();
                        version = number >= 0 ? (ulong)number : throw new IpldDecodeException("negative version");
                        break;
                    case "roots" when reader.Peek() == DagCborKind.Null:
                        reader.ReadNull();
                        break;
                    case "roots":
                        for (var count = reader.ReadListHead(); count > 0; count--)
                        {
                            roots.Add(reader.ReadLink());
                        }

                        break;
                    default:
                        reader.Skip();
                        break;
                }
            }

            Roots = roots;
            return version;
        }
        catch (IpldDecodeException e)
        {
            throw new CarException("invalid header: " + e.Message, e);
        }
    }

    private async ValueTask<ReadOnlyMemory<byte>?> ReadSectionAsync(CancellationToken cancellationToken)
    {
        if (await ReadLengthAsync(cancellationToken).ConfigureAwait(false) is not { } length)
        {
            return null;
        }

        if (length > MaxSectionSize)
        {
            throw new CarException(TooLarge);
        }

        return await ReadExactlyAsync((int)length, cancellationToken).ConfigureAwait(false);
    }

    // Go's binary.ReadUvarint: up to 64 bits, not necessarily minimal. Null at a clean end.
    private async ValueTask<ulong?> ReadLengthAsync(CancellationToken cancellationToken)
    {
        ulong value = 0;
        for (var i = 0; ; i++)
        {
            if (_inputStart == _inputEnd && !await FillInputAsync(cancellationToken).ConfigureAwait(false))
            {
                return i == 0 ? null : throw new CarException(Truncated);
            }

            var b = _input[_inputStart++];
            if (i == 9 && b > 1)
            {
                throw new CarException("binary: varint overflows a 64-bit integer");
            }

            value |= (ulong)(b & 0x7f) << (7 * i);
            if (b < 0x80)
            {
                return value;
            }
        }
    }

    private async ValueTask<ReadOnlyMemory<byte>> ReadExactlyAsync(int length, CancellationToken cancellationToken)
    {
        var filled = 0;
        while (filled < length)
        {
            if (_inputStart == _inputEnd && !await FillInputAsync(cancellationToken).ConfigureAwait(false))
            {
                throw new CarException(Truncated);
            }

            var take = Math.Min(length - filled, _inputEnd - _inputStart);
            Reserve(filled + take, filled);
            _input.AsSpan(_inputStart, take).CopyTo(_section.AsSpan(filled));
            _inputStart += take;
            filled += take;
        }

        return _section.AsMemory(0, length);
    }

    private void Reserve(int needed, int kept)
    {
        if (needed <= _section.Length)
        {
            return;
        }

        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, 2 * _section.Length));
        _section.AsSpan(0, kept).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_section);
        _section = larger;
    }

    private async ValueTask<bool> FillInputAsync(CancellationToken cancellationToken)
    {
        var room = (int)Math.Min(FirstRead, _left);
        _inputStart = 0;
        _inputEnd = room == 0 ? 0 : await _source.ReadAsync(_input.AsMemory(0, room), cancellationToken).ConfigureAwait(false);
        _left -= _inputEnd;
        return _inputEnd > 0;
    }
}
