using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using Ipld.Hashing;

namespace Ipld;

/// <summary>A hash that cannot be computed; the message is go-multihash's.</summary>
public sealed class MultihashException : Exception
{
    /// <summary>With the message.</summary>
    public MultihashException(string message)
        : base(message)
    {
    }

    /// <summary>Without a message.</summary>
    public MultihashException()
    {
    }

    /// <summary>With an inner cause.</summary>
    public MultihashException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>Computes the hash functions of multihash that the original registers.</summary>
public static class MultihashSum
{
    /// <summary>Digest bytes of a function, or -1 when it cannot be computed; 0 for identity, whose digest is the data.</summary>
    public static int DigestLength(ulong code) => code switch
    {
        MultihashCode.Identity => 0,
        MultihashCode.Md5 => 16,
        MultihashCode.Sha1 => 20,
        MultihashCode.Sha3_224 => 28,
        MultihashCode.Sha2_256 or MultihashCode.DblSha2_256 or MultihashCode.Sha3_256 or MultihashCode.Keccak256 or MultihashCode.Shake128 or MultihashCode.Blake3 => 32,
        MultihashCode.Sha2_384 or MultihashCode.Sha3_384 => 48,
        MultihashCode.Sha2_512 or MultihashCode.Sha3_512 or MultihashCode.Keccak512 or MultihashCode.Shake256 => 64,
        MultihashCode.Murmur3 => 8,
        >= MultihashCode.Blake2bMin and <= MultihashCode.Blake2bMax => (int)(code - MultihashCode.Blake2bMin) + 1,
        MultihashCode.Blake2sMax => 32,
        _ => -1,
    };

    /// <summary>Throws what the original says of a function that it cannot compute.</summary>
    /// <exception cref="MultihashException"><c>unknown multihash code 26 (0x1a): no such hash registered</c>.</exception>
    public static void EnsureSupported(ulong code)
    {
        if (DigestLength(code) < 0)
        {
            throw new MultihashException(string.Create(CultureInfo.InvariantCulture, $"unknown multihash code {code} (0x{code:x}): no such hash registered"));
        }
    }

    /// <summary>Hashes <paramref name="data"/>.</summary>
    /// <param name="code">The function (<see cref="MultihashCode"/>).</param>
    /// <param name="data">What is hashed.</param>
    /// <param name="length">Digest bytes to keep; -1 = all. Only BLAKE3 gives more than its default, up to 128.</param>
    /// <exception cref="MultihashException">The function is unknown or its digest shorter than asked.</exception>
    public static Multihash Compute(ulong code, ReadOnlySpan<byte> data, int length = -1)
    {
        EnsureSupported(code);
        if (code == MultihashCode.Identity)
        {
            if (length >= 0 && length != data.Length)
            {
                throw new MultihashException(string.Create(CultureInfo.InvariantCulture, $"the length of the identity hash ({length}) must be equal to the length of the data ({data.Length})"));
            }

            return Multihash.Create(code, data);
        }

        Span<byte> digest = stackalloc byte[128];
        var available = DigestLength(code);
        if (code == MultihashCode.Blake3 && length >= 0)
        {
            available = length is > 0 and <= 128 ? length : 0;
        }

        if (length > available || (code == MultihashCode.Blake3 && length == 0))
        {
            throw new MultihashException("requested length was too large for digest");
        }

        digest = digest[..available];
        Digest(code, data, digest);
        return Multihash.Create(code, length < 0 ? digest : digest[..length]);
    }

    private static void Digest(ulong code, ReadOnlySpan<byte> data, Span<byte> digest)
    {
        switch (code)
        {
            case MultihashCode.Sha2_256:
                SHA256.HashData(data, digest);
                break;
            case MultihashCode.DblSha2_256:
                SHA256.HashData(data, digest);
                SHA256.HashData(digest, digest);
                break;
            case MultihashCode.Sha2_384:
                SHA384.HashData(data, digest);
                break;
            case MultihashCode.Sha2_512:
                SHA512.HashData(data, digest);
                break;
#pragma warning disable CA5350, CA5351 // Content named by these old hashes exists and is to be checked; nothing here relies on their strength.
            case MultihashCode.Sha1:
                SHA1.HashData(data, digest);
                break;
            case MultihashCode.Md5:
                MD5.HashData(data, digest);
                break;
#pragma warning restore CA5350, CA5351
            case MultihashCode.Sha3_224 or MultihashCode.Sha3_256 or MultihashCode.Sha3_384 or MultihashCode.Sha3_512:
                Keccak.Hash(data, digest.Length, Keccak.Sha3Padding, digest);
                break;
            case MultihashCode.Keccak256 or MultihashCode.Keccak512:
                Keccak.Hash(data, digest.Length, Keccak.OriginalPadding, digest);
                break;
            case MultihashCode.Shake128 or MultihashCode.Shake256:
                Keccak.Hash(data, digest.Length / 2, Keccak.ShakePadding, digest);
                break;
            case MultihashCode.Blake3:
                Blake3.Hash(data, digest);
                break;
            case MultihashCode.Murmur3:
                BinaryPrimitives.WriteUInt64BigEndian(digest, Murmur3.Hash(data));
                break;
            case MultihashCode.Blake2sMax:
                Blake2.HashS(data, digest);
                break;
            default:
                Blake2.HashB(data, digest);
                break;
        }
    }
}
