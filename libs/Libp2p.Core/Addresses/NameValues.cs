using System.Globalization;
using System.Text;
using Ipld;

namespace Libp2p;

/// <summary>Text without a slash: DNS names, IPv6 zones, server names.</summary>
internal sealed class NameValue(string what) : IAddressValue
{
    public bool TryParse(string text, out byte[] bytes, out string error)
    {
        bytes = Encoding.UTF8.GetBytes(text);
        error = Validate(bytes);
        return error.Length == 0;
    }

    public string Validate(ReadOnlySpan<byte> bytes) =>
        bytes.IsEmpty ? $"the {what} is empty" : bytes.Contains((byte)'/') ? $"a {what} contains no slash" : "";

    public string Format(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
}

internal sealed class PeerIdValue : IAddressValue
{
    public bool TryParse(string text, out byte[] bytes, out string error)
    {
        bytes = [];
        if (!PeerId.TryParse(text, out PeerId id, out error)) return false;
        bytes = id.ToBytes();
        error = Validate(bytes);
        return error.Length == 0;
    }

    public string Validate(ReadOnlySpan<byte> bytes)
    {
        if (!PeerId.TrySplit(bytes, out ulong code, out var digest, out string error)) return error;
        return code switch
        {
            0 => "",
            0x12 => digest.Length == 32 ? "" : $"a sha2-256 peer id has a hash of 32 bytes, not {digest.Length}",
            _ => $"a peer id is a sha2-256 or identity multihash, not 0x{code:x}",
        };
    }

    public string Format(ReadOnlySpan<byte> bytes) => Base58.Encode(bytes);
}

/// <summary>A file system path, always with its leading slash.</summary>
internal sealed class UnixPathValue : IAddressValue
{
    public bool TryParse(string text, out byte[] bytes, out string error)
    {
        bytes = Encoding.UTF8.GetBytes(text);
        error = Validate(bytes);
        return error.Length == 0;
    }

    public string Validate(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 2) return "the path is empty";
        if (bytes[0] != '/') return "a path begins with a slash";
        return bytes[^1] == '/' ? "a socket path does not end with a slash" : "";
    }

    public string Format(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
}

internal sealed class HttpPathValue : IAddressValue
{
    public bool TryParse(string text, out byte[] bytes, out string error)
    {
        bytes = [];
        byte[] escaped = Encoding.UTF8.GetBytes(text);
        var plain = new List<byte>(escaped.Length);
        for (int i = 0; i < escaped.Length; i++)
        {
            if (escaped[i] != '%')
            {
                plain.Add(escaped[i] == '+' ? (byte)' ' : escaped[i]);
                continue;
            }
            if (i + 2 >= escaped.Length || !char.IsAsciiHexDigit((char)escaped[i + 1]) || !char.IsAsciiHexDigit((char)escaped[i + 2]))
            {
                error = "a % is not followed by two hex digits";
                return false;
            }
            plain.Add((byte)(HexDigit(escaped[i + 1]) << 4 | HexDigit(escaped[i + 2])));
            i += 2;
        }
        bytes = [.. plain];
        error = Validate(bytes);
        return error.Length == 0;
    }

    private static int HexDigit(byte c) => c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;

    public string Validate(ReadOnlySpan<byte> bytes) => bytes.IsEmpty ? "the path is empty" : "";

    public string Format(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length);
        foreach (byte b in bytes)
        {
            if (char.IsAsciiLetterOrDigit((char)b) || b is (byte)'-' or (byte)'_' or (byte)'.' or (byte)'~') text.Append((char)b);
            else if (b == ' ') text.Append('+');
            else text.Append(CultureInfo.InvariantCulture, $"%{b:X2}");
        }
        return text.ToString();
    }
}

internal sealed class CertHashValue : IAddressValue
{
    public bool TryParse(string text, out byte[] bytes, out string error)
    {
        bytes = new byte[Multibase.MaxDecodedLength(text.Length)];
        if (!Multibase.TryDecode(text, bytes, out int length, out error)) return false;
        Array.Resize(ref bytes, length);
        error = Validate(bytes);
        return error.Length == 0;
    }

    public string Validate(ReadOnlySpan<byte> bytes) => PeerId.TrySplit(bytes, out _, out _, out string error) ? "" : error;

    public string Format(ReadOnlySpan<byte> bytes) => Multibase.Encode(MultibaseEncoding.Base64Url, bytes);
}
