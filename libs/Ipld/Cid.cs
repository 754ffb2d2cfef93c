using System.Buffers;
using System.Globalization;
using System.Text;

namespace Ipld;

/// <summary>A CID that cannot be read; the message is the original's (go-cid), starting with <c>invalid cid: </c>.</summary>
public sealed class CidFormatException : FormatException
{
    /// <summary>With a message of <see cref="Cid.TryParse(string?, out Cid, out string)"/>.</summary>
    public CidFormatException(string message)
        : base(message)
    {
    }

    /// <summary>Without a message.</summary>
    public CidFormatException()
    {
    }

    /// <summary>With an inner cause.</summary>
    public CidFormatException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>
/// A content identifier: version, codec and multihash. Version 0 is a bare SHA-2 multihash of dag-pb. Immutable;
/// <c>default</c> is the undefined CID.
/// </summary>
public readonly struct Cid : IEquatable<Cid>, IComparable<Cid>
{
    private const int V0Length = 34;
    private const int V0TextLength = 46;
    private const string Prefix = "invalid cid: ";
    private const string TooShort = "invalid cid: cid too short";

    private readonly byte[]? _bytes;

    private Cid(byte[] validated) => _bytes = validated;

    /// <summary>The binary form; empty when undefined.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>The binary form as memory, without a copy; empty when undefined.</summary>
    public ReadOnlyMemory<byte> Memory => _bytes;

    /// <summary>False for <c>default</c> only.</summary>
    public bool IsDefined => _bytes is not null;

    /// <summary>0 or 1.</summary>
    public int Version => _bytes is { Length: V0Length } && _bytes[0] == 0x12 && _bytes[1] == 32 ? 0 : 1;

    /// <summary>The multicodec of the block (<see cref="Multicodec"/>); 0 when undefined.</summary>
    public ulong Codec
    {
        get
        {
            if (_bytes is null)
            {
                return 0;
            }

            if (Version == 0)
            {
                return Multicodec.DagPb;
            }

            Varint.TryRead(_bytes.AsSpan(1), out var codec, out _, out _);
            return codec;
        }
    }

    /// <summary>The multihash of the block.</summary>
    public Multihash Multihash
    {
        get
        {
            if (_bytes is null || Version == 0)
            {
                return new Multihash(_bytes);
            }

            Varint.TryRead(_bytes.AsSpan(1), out _, out var codecLength, out _);
            return new Multihash(_bytes.AsMemory(1 + codecLength));
        }
    }

    /// <summary>A version 0 CID.</summary>
    /// <exception cref="CidFormatException">The multihash is not sha2-256 of 32 bytes.</exception>
    public static Cid CreateV0(Multihash multihash)
    {
        if (!multihash.Bytes.StartsWith<byte>([0x12, 32]))
        {
            throw new CidFormatException("invalid cid: invalid v0 prefix");
        }

        return new Cid(multihash.Bytes.ToArray());
    }

    /// <summary>A version 1 CID.</summary>
    public static Cid CreateV1(ulong codec, Multihash multihash)
    {
        var bytes = new byte[1 + Varint.Size(codec) + multihash.Bytes.Length];
        bytes[0] = 1;
        var at = 1 + Varint.Write(bytes.AsSpan(1), codec);
        multihash.Bytes.CopyTo(bytes.AsSpan(at));
        return new Cid(bytes);
    }

    /// <summary>Reads a CID from text: <c>Qm…</c> or any multibase.</summary>
    /// <exception cref="CidFormatException">The text is not a CID.</exception>
    public static Cid Parse(string text) => TryParse(text, out var cid, out var error) ? cid : throw new CidFormatException(error);

    /// <summary>Reads a CID from text; <paramref name="error"/> is the original's text, empty on success.</summary>
    public static bool TryParse(string? text, out Cid cid, out string error) => TryParse(text.AsSpan(), out cid, out error);

    /// <summary>Reads a CID from text; <paramref name="error"/> is the original's text, empty on success.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Cid cid, out string error)
    {
        cid = default;
        if (text.IsEmpty || (text.Length == 1 && text[0] < 0x80))
        {
            error = TooShort;
            return false;
        }

        if (text.Length <= V0TextLength && text is ['Q', 'm', ..] && Encoding.UTF8.GetByteCount(text) == V0TextLength)
        {
            return TryParseV0(text, out cid, out error);
        }

        byte[]? rented = null;
        var size = Multibase.MaxDecodedLength(text.Length);
        var buffer = size <= 512 ? stackalloc byte[512] : (rented = ArrayPool<byte>.Shared.Rent(size));
        try
        {
            if (!Multibase.TryDecode(text, buffer, out var written, out error))
            {
                error = Prefix + error;
                return false;
            }

            return TryFromBytes(buffer[..written], out cid, out error);
        }
        finally
        {
            if (rented is not null)
            {
                ArrayPool<byte>.Shared.Return(rented);
            }
        }
    }

    /// <summary>Takes bytes that are exactly one CID.</summary>
    /// <exception cref="CidFormatException">They are not.</exception>
    public static Cid FromBytes(ReadOnlySpan<byte> bytes) => TryFromBytes(bytes, out var cid, out var error) ? cid : throw new CidFormatException(error);

    /// <summary>Takes bytes that are exactly one CID (copied); <paramref name="error"/> is the original's text, empty on success.</summary>
    public static bool TryFromBytes(ReadOnlySpan<byte> bytes, out Cid cid, out string error)
    {
        cid = default;
        if (!TryMeasure(bytes, out var length, out error))
        {
            error = Prefix + error;
            return false;
        }

        if (length != bytes.Length)
        {
            error = "invalid cid: trailing bytes in data buffer passed to cid Cast";
            return false;
        }

        cid = new Cid(bytes.ToArray());
        return true;
    }

    /// <summary>Reads the CID at the start of <paramref name="source"/> (copied) and tells how many bytes it took.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out Cid cid, out int length, out string error)
    {
        cid = default;
        if (!TryMeasure(source, out length, out error))
        {
            return false;
        }

        cid = new Cid(source[..length].ToArray());
        return true;
    }

    /// <summary>A copy of the binary form.</summary>
    public byte[] ToBytes() => _bytes is null ? [] : _bytes.AsSpan().ToArray();

    /// <summary>The same content as version 1; itself when it is.</summary>
    public Cid ToV1() => IsDefined && Version == 0 ? CreateV1(Multicodec.DagPb, Multihash) : this;

    /// <summary>The canonical text: base58 for version 0, multibase base32 for version 1; <c>b</c> (as in the original) when undefined.</summary>
    public override string ToString() => _bytes switch
    {
        null => "b",
        _ when Version == 0 => Base58.Encode(_bytes),
        _ => Base32.Encode(_bytes, Base32.StandardLower, "b", padded: false),
    };

    /// <summary>The text in a base of choice; version 0 has base58btc without a prefix, whatever is asked.</summary>
    public string ToString(MultibaseEncoding encoding) => Version == 0 ? Base58.Encode(Bytes) : Multibase.Encode(encoding, Bytes);

    /// <summary>The original's datastore key of this CID: <c>/</c> and the binary form in unpadded base32 capitals.</summary>
    public string ToDatastoreKey() => Base32.Encode(Bytes, Base32.StandardUpper, "/", padded: false);

    /// <inheritdoc/>
    public bool Equals(Cid other) => ReferenceEquals(_bytes, other._bytes) || (IsDefined == other.IsDefined && Bytes.SequenceEqual(other.Bytes));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Cid other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(Bytes);
        return hash.ToHashCode();
    }

    /// <summary>Orders by the bytes; undefined comes first.</summary>
    public int CompareTo(Cid other) => Bytes.SequenceCompareTo(other.Bytes);

    /// <summary>Same bytes.</summary>
    public static bool operator ==(Cid left, Cid right) => left.Equals(right);

    /// <summary>Other bytes.</summary>
    public static bool operator !=(Cid left, Cid right) => !left.Equals(right);

    /// <summary>Byte order.</summary>
    public static bool operator <(Cid left, Cid right) => left.CompareTo(right) < 0;

    /// <summary>Byte order.</summary>
    public static bool operator >(Cid left, Cid right) => left.CompareTo(right) > 0;

    /// <summary>Byte order.</summary>
    public static bool operator <=(Cid left, Cid right) => left.CompareTo(right) <= 0;

    /// <summary>Byte order.</summary>
    public static bool operator >=(Cid left, Cid right) => left.CompareTo(right) >= 0;

    private static bool TryParseV0(ReadOnlySpan<char> text, out Cid cid, out string error)
    {
        cid = default;
        Span<byte> buffer = stackalloc byte[V0TextLength];
        if (!Base58.TryDecode(text, buffer, out var written))
        {
            error = "invalid cid: input isn't valid multihash";
            return false;
        }

        var bytes = buffer[..written];
        if (!Multihash.TryMeasure(bytes, out var length, out var code, out var digestLength, out error))
        {
            error = Prefix + error;
            return false;
        }

        if (length != written)
        {
            error = string.Create(CultureInfo.InvariantCulture, $"invalid cid: multihash length inconsistent: expected {digestLength}; got {length}");
            return false;
        }

        if (code != MultihashCode.Sha2_256 || digestLength != 32)
        {
            error = string.Create(CultureInfo.InvariantCulture, $"invalid cid: invalid hash for cidv0 {code}-{digestLength}");
            return false;
        }

        cid = new Cid(bytes.ToArray());
        return true;
    }

    private static bool TryMeasure(ReadOnlySpan<byte> data, out int length, out string error)
    {
        length = 0;
        if (data is [0x12, 32, _, ..])
        {
            if (data.Length < V0Length)
            {
                error = "invalid cid: not enough bytes for cid v0";
                return false;
            }

            length = V0Length;
            error = "";
            return true;
        }

        if (!Varint.TryRead(data, out var version, out var versionLength, out error))
        {
            error = Prefix + error;
            return false;
        }

        if (version != 1)
        {
            error = string.Create(CultureInfo.InvariantCulture, $"invalid cid: expected 1 as the cid version number, got: {version}");
            return false;
        }

        if (!Varint.TryRead(data[versionLength..], out _, out var codecLength, out error)
            || !Multihash.TryMeasure(data[(versionLength + codecLength)..], out var multihashLength, out _, out _, out error))
        {
            error = Prefix + error;
            return false;
        }

        length = versionLength + codecLength + multihashLength;
        return true;
    }
}
