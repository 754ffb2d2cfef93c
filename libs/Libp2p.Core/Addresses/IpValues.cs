using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Libp2p;

internal sealed class Ip4Value : IAddressValue
{
    public bool TryParse(string text, out byte[] bytes, out string error)
    {
        bytes = new byte[4];
        error = "";
        if (TryDotted(text, bytes)) return true;
        // Go reads an IPv4 address that is written as a mapped IPv6 one, too.
        if (Ip6Value.TryRead(text, out IPAddress? ip) && ip.IsIPv4MappedToIPv6)
        {
            bytes = ip.GetAddressBytes()[12..];
            return true;
        }
        error = "it is no IPv4 address";
        return false;
    }

    // IPAddress.Parse would also take "1", "0x7f.1" and octal.
    public static bool TryDotted(string text, Span<byte> bytes)
    {
        string[] parts = text.Split('.');
        if (parts.Length != 4) return false;
        for (int i = 0; i < 4; i++)
        {
            string part = parts[i];
            if (part.Length is 0 or > 3 || part.Length > 1 && part[0] == '0') return false;
            if (!byte.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out bytes[i])) return false;
        }
        return true;
    }

    public string Validate(ReadOnlySpan<byte> bytes) => "";

    public string Format(ReadOnlySpan<byte> bytes) => $"{bytes[0]}.{bytes[1]}.{bytes[2]}.{bytes[3]}";
}

internal sealed class Ip6Value : IAddressValue
{
    public bool TryParse(string text, out byte[] bytes, out string error)
    {
        bytes = new byte[16];
        error = "";
        Span<byte> dotted = stackalloc byte[4];
        if (Ip4Value.TryDotted(text, dotted))
        {
            bytes[10] = bytes[11] = 0xff;
            dotted.CopyTo(bytes.AsSpan(12));
            return true;
        }
        if (TryRead(text, out IPAddress? ip))
        {
            bytes = ip.GetAddressBytes();
            return true;
        }
        error = text.Contains('%', StringComparison.Ordinal)
            ? "it is no IPv6 address; a zone is written /ip6zone/<zone>/ip6/<address>"
            : "it is no IPv6 address";
        return false;
    }

    public static bool TryRead(string text, out IPAddress ip)
    {
        ip = IPAddress.IPv6None;
        foreach (char c in text)
        {
            if (!char.IsAsciiHexDigit(c) && c is not (':' or '.')) return false;
        }
        if (!IPAddress.TryParse(text, out IPAddress? parsed) || parsed.AddressFamily != AddressFamily.InterNetworkV6) return false;
        ip = parsed;
        return true;
    }

    public string Validate(ReadOnlySpan<byte> bytes) => "";

    // RFC 5952, with the dotted form for mapped addresses only; IPAddress.ToString uses it more widely.
    public string Format(ReadOnlySpan<byte> bytes)
    {
        if (bytes[..10].IndexOfAnyExcept((byte)0) < 0 && bytes[10] == 0xff && bytes[11] == 0xff)
            return $"::ffff:{bytes[12]}.{bytes[13]}.{bytes[14]}.{bytes[15]}";
        int bestStart = -1, bestLength = 1;
        for (int i = 0; i < 8; i++)
        {
            int length = 0;
            while (i + length < 8 && bytes[2 * (i + length)] == 0 && bytes[2 * (i + length) + 1] == 0) length++;
            if (length > bestLength) (bestStart, bestLength) = (i, length);
            i += length;
        }
        var text = new StringBuilder(39);
        for (int i = 0; i < 8; i++)
        {
            if (i == bestStart)
            {
                text.Append("::");
                i += bestLength - 1;
                continue;
            }
            if (text.Length > 0 && text[^1] != ':') text.Append(':');
            text.Append(CultureInfo.InvariantCulture, $"{BinaryPrimitives.ReadUInt16BigEndian(bytes[(2 * i)..]):x}");
        }
        return text.ToString();
    }
}

internal sealed class PortValue : IAddressValue
{
    public bool TryParse(string text, out byte[] bytes, out string error)
    {
        bytes = new byte[2];
        bool ok = ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ushort port);
        BinaryPrimitives.WriteUInt16BigEndian(bytes, port);
        error = ok ? "" : "a port is a number from 0 to 65535";
        return ok;
    }

    public string Validate(ReadOnlySpan<byte> bytes) => "";

    public string Format(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt16BigEndian(bytes).ToString(CultureInfo.InvariantCulture);
}

internal sealed class CidrValue : IAddressValue
{
    public bool TryParse(string text, out byte[] bytes, out string error)
    {
        bool ok = byte.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out byte bits);
        bytes = [bits];
        error = ok ? "" : "a prefix length is a number from 0 to 255";
        return ok;
    }

    public string Validate(ReadOnlySpan<byte> bytes) => "";

    public string Format(ReadOnlySpan<byte> bytes) => bytes[0].ToString(CultureInfo.InvariantCulture);
}

internal sealed class NumberValue : IAddressValue
{
    public bool TryParse(string text, out byte[] bytes, out string error)
    {
        bytes = new byte[8];
        bool ok = ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number);
        BinaryPrimitives.WriteUInt64BigEndian(bytes, number);
        error = ok ? "" : "it is no number below 2^64";
        return ok;
    }

    public string Validate(ReadOnlySpan<byte> bytes) => "";

    public string Format(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt64BigEndian(bytes).ToString(CultureInfo.InvariantCulture);
}
