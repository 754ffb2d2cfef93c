using System.Buffers.Binary;
using System.Globalization;
using Libp2p.Encodings;

namespace Libp2p;

/// <summary>A Tor service and its port: base32 of 10 (version 2) or 35 bytes, a colon, the port.</summary>
internal sealed class OnionValue(int nameBytes) : IAddressValue
{
    public bool TryParse(string text, out byte[] bytes, out string error)
    {
        bytes = new byte[nameBytes + 2];
        string[] parts = text.Split(':');
        if (parts.Length != 2)
        {
            error = "an onion address is <name>:<port>";
            return false;
        }
        if (parts[0].Length != nameBytes * 8 / 5 || !BaseN.Base32.TryDecode(parts[0], out byte[] name))
        {
            error = $"the onion name is not {nameBytes * 8 / 5} characters of base32";
            return false;
        }
        name.CopyTo(bytes, 0);
        bool ok = ushort.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out ushort port) && port > 0;
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(nameBytes), port);
        error = ok ? "" : "an onion port is a number from 1 to 65535";
        return ok;
    }

    public string Validate(ReadOnlySpan<byte> bytes) =>
        BinaryPrimitives.ReadUInt16BigEndian(bytes[nameBytes..]) == 0 ? "an onion port is a number from 1 to 65535" : "";

    public string Format(ReadOnlySpan<byte> bytes) =>
        $"{BaseN.Base32.Encode(bytes[..nameBytes])}:{BinaryPrimitives.ReadUInt16BigEndian(bytes[nameBytes..])}";
}

/// <summary>An I2P destination in I2P's own base64.</summary>
internal sealed class Garlic64Value : IAddressValue
{
    // A destination has 256 + 128 bytes of keys and at least 3 of certificate; go-multiaddr accepts 386.
    private const int MinBytes = 386;

    public bool TryParse(string text, out byte[] bytes, out string error)
    {
        if (text.Length % 4 != 0 || !BaseN.Base64I2p.TryDecode(text.AsSpan().TrimEnd('='), out bytes))
        {
            bytes = [];
            error = "it is no I2P base64";
            return false;
        }
        error = Validate(bytes);
        return error.Length == 0;
    }

    public string Validate(ReadOnlySpan<byte> bytes) =>
        bytes.Length < MinBytes ? $"an I2P destination has at least {MinBytes} bytes, not {bytes.Length}" : "";

    public string Format(ReadOnlySpan<byte> bytes)
    {
        string text = BaseN.Base64I2p.Encode(bytes);
        return text.PadRight((text.Length + 3) / 4 * 4, '=');
    }
}

/// <summary>An I2P name in base32: a hash of 32 bytes, or 35 and more for encrypted lease sets.</summary>
internal sealed class Garlic32Value : IAddressValue
{
    public bool TryParse(string text, out byte[] bytes, out string error)
    {
        if (!BaseN.Base32.TryDecode(text, out bytes))
        {
            error = "it is no base32";
            return false;
        }
        error = Validate(bytes);
        return error.Length == 0;
    }

    public string Validate(ReadOnlySpan<byte> bytes) =>
        bytes.Length is 32 or >= 35 ? "" : $"an I2P name has 32 bytes or at least 35, not {bytes.Length}";

    public string Format(ReadOnlySpan<byte> bytes) => BaseN.Base32.Encode(bytes);
}
