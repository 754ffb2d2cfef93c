using System.Security.Cryptography;
using System.Text;
using Libp2p.Native;

namespace Libp2p;

/// <summary>A text is no secret of a private network.</summary>
public sealed class NetworkSecretFormatException(string message) : FormatException(message);

/// <summary>The 32 bytes that all peers of a private network share. Its text form never shows them.</summary>
public sealed class NetworkSecret
{
    /// <summary>Bytes of a secret.</summary>
    public const int Size = 32;

    private const string Header = "/key/swarm/psk/1.0.0/";
    private readonly byte[] key;

    private NetworkSecret(byte[] key) => this.key = key;

    /// <summary>The secret itself; keep it out of logs.</summary>
    public ReadOnlySpan<byte> Key => key;

    /// <summary>Takes over 32 bytes.</summary>
    public static NetworkSecret FromBytes(ReadOnlySpan<byte> bytes) => bytes.Length == Size
        ? new NetworkSecret(bytes.ToArray())
        : throw new NetworkSecretFormatException($"A network secret has {Size} bytes, not {bytes.Length}.");

    /// <summary>A new secret from the system's random source.</summary>
    public static NetworkSecret Generate() => new(RandomNumberGenerator.GetBytes(Size));

    /// <summary>Reads 64 hex digits, as <c>cluster.secret</c> has them; null for an empty text, which means no private network.</summary>
    /// <exception cref="NetworkSecretFormatException">The text is anything else.</exception>
    public static NetworkSecret? FromHex(string text)
    {
        if (text.Length == 0) return null;
        byte[] bytes;
        try
        {
            bytes = Convert.FromHexString(text);
        }
        catch (FormatException)
        {
            throw new NetworkSecretFormatException("A network secret consists of 64 hexadecimal digits.");
        }
        return FromBytes(bytes);
    }

    /// <summary>Reads a swarm key file (<c>/key/swarm/psk/1.0.0/</c>, an encoding, the key).</summary>
    /// <exception cref="NetworkSecretFormatException">The file is no swarm key.</exception>
    public static NetworkSecret FromKeyFile(ReadOnlySpan<byte> file)
    {
        string header = Line(ref file), encoding = Line(ref file);
        if (header != Header) throw new NetworkSecretFormatException($"A swarm key file begins with {Header}.");
        try
        {
            switch (encoding)
            {
                // What follows the key is ignored, like Go does.
                case "/bin/": return FromBytes(file.Length > Size ? file[..Size] : file);
                case "/base16/":
                    string digits = Line(ref file);
                    return FromBytes(Convert.FromHexString(digits.Length > 2 * Size ? digits[..(2 * Size)] : digits));
                case "/base64/":
                    byte[] key = Convert.FromBase64String(Line(ref file));
                    return FromBytes(key.Length > Size ? key.AsSpan(0, Size) : key);
                default: throw new NetworkSecretFormatException($"The swarm key's encoding \"{encoding}\" is unknown; /base16/, /base64/ and /bin/ are known.");
            }
        }
        catch (FormatException e) when (e is not NetworkSecretFormatException)
        {
            throw new NetworkSecretFormatException($"The swarm key is not valid {encoding.Trim('/')}.");
        }
    }

    private static string Line(ref ReadOnlySpan<byte> file)
    {
        int end = file.IndexOf((byte)'\n');
        var line = end < 0 ? file : file[..end];
        file = end < 0 ? default : file[(end + 1)..];
        return Encoding.Latin1.GetString(line).TrimEnd('\r');
    }

    /// <summary>The swarm key file of this secret, which Kubo and js-libp2p read.</summary>
    public string ToKeyFile() => $"{Header}\n/base16/\n{ToHex()}\n";

    /// <summary>The 64 hexadecimal digits.</summary>
    public string ToHex() => Convert.ToHexStringLower(key);

    /// <summary>
    /// 16 bytes by which two secrets can be compared without showing them; Kubo tells the same of a swarm key file
    /// (golden/libp2p/pnet.json).
    /// </summary>
    public byte[] Fingerprint()
    {
        // The hash never sees the secret itself: what it gets is a keystream.
        Span<byte> stream = stackalloc byte[64];
        stream.Clear();
        Sodium.Salsa20Xor(key, "finprint"u8, 0, stream, stream);
        return Shake128.HashData(stream, 16);
    }

    /// <summary>Never the secret.</summary>
    public override string ToString() => "network secret";
}
