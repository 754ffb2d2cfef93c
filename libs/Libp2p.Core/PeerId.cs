using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Ipld;
using Libp2p.Encodings;

namespace Libp2p;

/// <summary>
/// Identity of a peer: the multihash of its public key's protobuf. Two spellings of one id are equal, because the
/// bytes are compared. The default value is "no peer" and has no bytes.
/// </summary>
public readonly struct PeerId : IEquatable<PeerId>, IComparable<PeerId>
{
    private const ulong Libp2pKeyCodec = 0x72;
    private const ulong IdentityHash = 0;

    // Public keys up to this many bytes are embedded in the id instead of being hashed (libp2p peer-ids specification).
    private const int MaxInlineKey = 42;

    // The longest sensible spelling, a CID in base 2, stays below.
    private const int MaxTextLength = 1024;

    private readonly byte[]? bytes;

    private PeerId(byte[] bytes) => this.bytes = bytes;

    /// <summary>Whether this is the id of a peer and not the default value.</summary>
    public bool IsDefined => bytes is not null;

    /// <summary>The multihash.</summary>
    public ReadOnlySpan<byte> Bytes => bytes;

    /// <summary>A copy of the multihash.</summary>
    public byte[] ToBytes() => bytes?.ToArray() ?? [];

    /// <summary>The id of the holder of a public key.</summary>
    public static PeerId FromPublicKey(PublicKey key)
    {
        byte[] proto = key.ToProtobuf();
        byte[] id;
        if (proto.Length <= MaxInlineKey)
        {
            id = [0, (byte)proto.Length, .. proto];
        }
        else
        {
            id = new byte[34];
            id[0] = 0x12;
            id[1] = 32;
            SHA256.HashData(proto, id.AsSpan(2));
        }
        return new PeerId(id);
    }

    /// <summary>Reads base58btc (<c>12D3…</c>, <c>Qm…</c>) or a CID with the libp2p-key codec.</summary>
    /// <exception cref="PeerIdFormatException">The text is no peer id.</exception>
    public static PeerId Parse(string text) => TryParse(text, out PeerId id, out string error) ? id : throw new PeerIdFormatException(error);

    /// <summary>Reads base58btc or a CID with the libp2p-key codec.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out PeerId id, out string error)
    {
        id = default;
        if (string.IsNullOrEmpty(text))
        {
            error = "A peer id is missing.";
            return false;
        }
        if (text.Length > MaxTextLength)
        {
            error = $"A text of more than {MaxTextLength} characters is no peer id.";
            return false;
        }
        // A CID never starts like this: '1' names no base, and "Qm" is the CIDv0 of a hash, which is the id itself.
        if (text[0] == '1' || text.StartsWith("Qm", StringComparison.Ordinal))
        {
            Span<byte> multihash = stackalloc byte[MaxTextLength];
            if (!Base58.TryDecode(text, multihash, out int length))
            {
                error = $"The peer id \"{text}\" has a character that base58 does not use.";
                return false;
            }
            if (TryFromBytes(multihash[..length], out id, out error)) return true;
            error = $"The peer id \"{text}\" is cut or mistyped: {error}";
            return false;
        }
        var cid = new byte[Multibase.MaxDecodedLength(text.Length)];
        if (!Multibase.TryDecode(text, cid, out int size, out error) || !TryFromCid(cid.AsSpan(0, size), out id, out error))
        {
            error = $"\"{text}\" is neither a base58 peer id nor a CID of one: {error}";
            return false;
        }
        return true;
    }

    private static bool TryFromCid(ReadOnlySpan<byte> cid, out PeerId id, out string error)
    {
        id = default;
        var status = UVarint.Read(cid, out ulong version, out int n);
        if (status != UVarint.Status.Ok || version != 1)
        {
            error = status == UVarint.Status.Ok ? $"its CID version is {version}, not 1" : UVarint.Explain(status);
            return false;
        }
        cid = cid[n..];
        status = UVarint.Read(cid, out ulong codec, out n);
        if (status != UVarint.Status.Ok || codec != Libp2pKeyCodec)
        {
            error = status == UVarint.Status.Ok ? $"the CID's codec is 0x{codec:x}, not libp2p-key (0x72)" : UVarint.Explain(status);
            return false;
        }
        return TryFromBytes(cid[n..], out id, out error);
    }

    /// <summary>Reads the multihash.</summary>
    /// <exception cref="PeerIdFormatException">The bytes are no multihash.</exception>
    public static PeerId FromBytes(ReadOnlySpan<byte> bytes) =>
        TryFromBytes(bytes, out PeerId id, out string error) ? id : throw new PeerIdFormatException(error);

    /// <summary>Reads the multihash.</summary>
    public static bool TryFromBytes(ReadOnlySpan<byte> bytes, out PeerId id, out string error)
    {
        id = default;
        if (!TrySplit(bytes, out _, out _, out error)) return false;
        id = new PeerId(bytes.ToArray());
        return true;
    }

    internal static bool TrySplit(ReadOnlySpan<byte> multihash, out ulong code, out ReadOnlySpan<byte> digest, out string error)
    {
        code = 0;
        digest = default;
        error = "";
        if (multihash.Length < 2)
        {
            error = "a multihash has at least two bytes";
            return false;
        }
        var status = UVarint.Read(multihash, out code, out int n);
        ulong length = 0;
        int m = 0;
        if (status == UVarint.Status.Ok) status = UVarint.Read(multihash[n..], out length, out m);
        if (status != UVarint.Status.Ok)
        {
            error = UVarint.Explain(status);
            return false;
        }
        digest = multihash[(n + m)..];
        if ((ulong)digest.Length == length) return true;
        error = $"the hash should have {length} bytes and has {digest.Length}";
        return false;
    }

    /// <summary>The public key, when the id embeds it (Ed25519 and secp256k1) and it is a usable key.</summary>
    public bool TryExtractPublicKey([NotNullWhen(true)] out PublicKey? key, out string error)
    {
        key = null;
        error = "the public key is not embedded in the peer id";
        return bytes is not null && TrySplit(bytes, out ulong code, out var digest, out _) && code == IdentityHash
            && PublicKey.TryFromProtobuf(digest, out key, out error);
    }

    /// <summary>Whether <paramref name="key"/> is the key of this peer.</summary>
    public bool Matches(PublicKey key) => Equals(FromPublicKey(key));

    /// <summary>The id as a CIDv1 (libp2p-key) in base32.</summary>
    public string ToCidString() => bytes is null ? "" : Multibase.Encode(MultibaseEncoding.Base32, [1, (byte)Libp2pKeyCodec, .. bytes]);

    /// <summary>The id as a CIDv1 (libp2p-key) in base36, the form of IPNS names.</summary>
    public string ToCidBase36() => bytes is null ? "" : Multibase.Encode(MultibaseEncoding.Base36, [1, (byte)Libp2pKeyCodec, .. bytes]);

    /// <summary>The last six characters, enough to tell peers apart in a log.</summary>
    public string ToShortString()
    {
        string text = ToString();
        return text.Length <= 10 ? $"<peer.ID {text}>" : $"<peer.ID {text[..2]}*{text[^6..]}>";
    }

    /// <summary>The base58btc form, or nothing for the default value.</summary>
    public override string ToString() => bytes is null ? "" : Base58.Encode(bytes);

    /// <inheritdoc/>
    public bool Equals(PeerId other) => Bytes.SequenceEqual(other.Bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is PeerId other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(Bytes);
        return hash.ToHashCode();
    }

    /// <summary>Orders by bytes.</summary>
    public int CompareTo(PeerId other) => Bytes.SequenceCompareTo(other.Bytes);

    /// <summary>Same peer.</summary>
    public static bool operator ==(PeerId left, PeerId right) => left.Equals(right);

    /// <summary>Different peers.</summary>
    public static bool operator !=(PeerId left, PeerId right) => !left.Equals(right);

    /// <summary>Order of bytes.</summary>
    public static bool operator <(PeerId left, PeerId right) => left.CompareTo(right) < 0;

    /// <summary>Order of bytes.</summary>
    public static bool operator >(PeerId left, PeerId right) => left.CompareTo(right) > 0;

    /// <summary>Order of bytes.</summary>
    public static bool operator <=(PeerId left, PeerId right) => left.CompareTo(right) <= 0;

    /// <summary>Order of bytes.</summary>
    public static bool operator >=(PeerId left, PeerId right) => left.CompareTo(right) >= 0;
}
