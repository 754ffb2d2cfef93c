using System.Diagnostics.CodeAnalysis;
using Libp2p.Encodings;

namespace Libp2p;

public sealed partial class Multiaddr
{
    // Go has no bound of its own; its messages have. The longest sensible address (I2P) stays below 1 KiB.
    private const int MaxTextLength = 8192;
    private const int MaxByteLength = 4096;

    /// <summary>Reads the text form; <c>/ipfs/</c> is taken for <c>/p2p/</c>.</summary>
    /// <exception cref="MultiaddrFormatException">The text is no multiaddress; the message says where.</exception>
    public static Multiaddr Parse(string text) =>
        TryParse(text, out Multiaddr? address, out string error) ? address : throw new MultiaddrFormatException(error);

    /// <summary>Reads the text form.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out Multiaddr? address, out string error)
    {
        address = null;
        error = "";
        if (text is null || text.Length > MaxTextLength)
        {
            error = text is null ? "A multiaddress is missing." : $"A text of more than {MaxTextLength} characters is no multiaddress.";
            return false;
        }
        if (!text.StartsWith('/'))
        {
            error = $"The multiaddress \"{text}\" does not begin with a slash.";
            return false;
        }
        string[] parts = text.TrimEnd('/').Split('/');
        if (parts.Length < 2)
        {
            error = $"The multiaddress \"{text}\" has no components.";
            return false;
        }
        var components = new List<MultiaddrComponent>();
        for (int i = 1; i < parts.Length; i++)
        {
            if (!AddressProtocol.TryFind(parts[i], out AddressProtocol? protocol))
            {
                error = $"The multiaddress \"{text}\" names the unknown protocol \"{parts[i]}\".";
                return false;
            }
            byte[] value = [];
            if (protocol!.Value is { } format)
            {
                if (++i >= parts.Length)
                {
                    error = $"The multiaddress \"{text}\" ends where a value for {protocol} is due.";
                    return false;
                }
                string raw = parts[i];
                if (protocol.IsPath)
                {
                    raw = "/" + string.Join('/', parts[i..]);
                    i = parts.Length;
                }
                if (!format.TryParse(raw, out value, out string reason))
                {
                    error = $"The multiaddress \"{text}\" has the invalid value \"{raw}\" for {protocol}: {reason}.";
                    return false;
                }
            }
            components.Add(new MultiaddrComponent(protocol, value));
        }
        address = new Multiaddr([.. components]);
        return true;
    }

    /// <summary>Reads the binary form.</summary>
    /// <exception cref="MultiaddrFormatException">The bytes are no multiaddress.</exception>
    public static Multiaddr FromBytes(ReadOnlySpan<byte> bytes) =>
        TryFromBytes(bytes, out Multiaddr? address, out string error) ? address : throw new MultiaddrFormatException(error);

    /// <summary>Reads the binary form.</summary>
    public static bool TryFromBytes(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out Multiaddr? address, out string error)
    {
        address = null;
        if (bytes.IsEmpty || bytes.Length > MaxByteLength)
        {
            error = bytes.IsEmpty ? "The multiaddress is empty." : $"A multiaddress has at most {MaxByteLength} bytes.";
            return false;
        }
        var components = new List<MultiaddrComponent>();
        for (var rest = bytes; !rest.IsEmpty;)
        {
            if (components.Count > 0 && components[^1].Protocol.IsPath)
            {
                error = "The multiaddress goes on behind a path, which must be its end.";
                return false;
            }
            if (!TryReadComponent(ref rest, out var component, out error)) return false;
            components.Add(component);
        }
        error = "";
        address = new Multiaddr([.. components]);
        return true;
    }

    private static bool TryReadComponent(ref ReadOnlySpan<byte> rest, out MultiaddrComponent component, out string error)
    {
        component = default;
        if (!TryReadNumber(ref rest, out ulong code, out error)) return false;
        if (!AddressProtocol.TryFind(code, out AddressProtocol? protocol))
        {
            error = $"The multiaddress names the unknown protocol number {code}.";
            return false;
        }
        ulong size = (ulong)(protocol!.SizeBits / 8);
        if (protocol.SizeBits == AddressProtocol.Variable && !TryReadNumber(ref rest, out size, out error)) return false;
        if (size > (ulong)rest.Length || size == 0 && protocol.SizeBits != 0)
        {
            error = size == 0
                ? $"The value of {protocol} is empty."
                : $"The multiaddress ends inside the value of {protocol}: {size} bytes are due, {rest.Length} are there.";
            return false;
        }
        var value = rest[..(int)size];
        rest = rest[(int)size..];
        error = protocol.Value?.Validate(value) ?? "";
        if (error.Length > 0)
        {
            error = $"The value of {protocol} is invalid: {error}.";
            return false;
        }
        component = new MultiaddrComponent(protocol, value.ToArray());
        return true;
    }

    private static bool TryReadNumber(ref ReadOnlySpan<byte> rest, out ulong number, out string error)
    {
        var status = UVarint.Read(rest, out number, out int n);
        error = status == UVarint.Status.Ok ? "" : $"The multiaddress is damaged: {UVarint.Explain(status)}.";
        rest = rest[n..];
        return status == UVarint.Status.Ok;
    }
}
