using System.Collections.Frozen;
using System.Globalization;

namespace Ipld;

/// <summary>Hash functions of the multihash table that go-multihash 0.2 names.</summary>
public static class MultihashCode
{
    /// <summary>No hash: the digest is the data.</summary>
    public const ulong Identity = 0x00;
    /// <summary>SHA-1.</summary>
    public const ulong Sha1 = 0x11;
    /// <summary>SHA-2, 256 bits: the default of IPFS.</summary>
    public const ulong Sha2_256 = 0x12;
    /// <summary>SHA-2, 512 bits.</summary>
    public const ulong Sha2_512 = 0x13;
    /// <summary>SHA-3, 512 bits.</summary>
    public const ulong Sha3_512 = 0x14;
    /// <summary>SHA-3, 384 bits.</summary>
    public const ulong Sha3_384 = 0x15;
    /// <summary>SHA-3, 256 bits.</summary>
    public const ulong Sha3_256 = 0x16;
    /// <summary>SHA-3, 224 bits.</summary>
    public const ulong Sha3_224 = 0x17;
    /// <summary>SHAKE-128.</summary>
    public const ulong Shake128 = 0x18;
    /// <summary>SHAKE-256.</summary>
    public const ulong Shake256 = 0x19;
    /// <summary>Keccak before its standardisation, 224 bits.</summary>
    public const ulong Keccak224 = 0x1a;
    /// <summary>Keccak before its standardisation, 256 bits.</summary>
    public const ulong Keccak256 = 0x1b;
    /// <summary>Keccak before its standardisation, 384 bits.</summary>
    public const ulong Keccak384 = 0x1c;
    /// <summary>Keccak before its standardisation, 512 bits.</summary>
    public const ulong Keccak512 = 0x1d;
    /// <summary>BLAKE3.</summary>
    public const ulong Blake3 = 0x1e;
    /// <summary>SHA-2, 384 bits (known by code only).</summary>
    public const ulong Sha2_384 = 0x20;
    /// <summary>The first 64 bits of murmur3 x64-128: not a cryptographic hash.</summary>
    public const ulong Murmur3 = 0x22;
    /// <summary>SHA-2 of the SHA-2.</summary>
    public const ulong DblSha2_256 = 0x56;
    /// <summary>MD5.</summary>
    public const ulong Md5 = 0xd5;
    /// <summary>SHA-2, 224 bits (known by code only).</summary>
    public const ulong Sha2_224 = 0x1013;
    /// <summary>SHA-2 512 shortened to 224 bits (known by code only).</summary>
    public const ulong Sha2_512_224 = 0x1014;
    /// <summary>SHA-2 512 shortened to 256 bits (known by code only).</summary>
    public const ulong Sha2_512_256 = 0x1015;
    /// <summary>BLAKE2b of 8 bits; each further code is 8 bits longer.</summary>
    public const ulong Blake2bMin = 0xb201;
    /// <summary>BLAKE2b of 512 bits.</summary>
    public const ulong Blake2bMax = 0xb240;
    /// <summary>BLAKE2s of 8 bits; each further code is 8 bits longer.</summary>
    public const ulong Blake2sMin = 0xb241;
    /// <summary>BLAKE2s of 256 bits.</summary>
    public const ulong Blake2sMax = 0xb260;

    private static readonly FrozenDictionary<ulong, string> Names = Table().ToFrozenDictionary();

    private static readonly FrozenDictionary<string, ulong> Codes = Names
        .Select(pair => KeyValuePair.Create(pair.Value, pair.Key))
        .Append(KeyValuePair.Create("sha3", Sha3_512))
        .ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The function's name, for example <c>sha2-256</c>; empty when unknown.</summary>
    public static string NameOf(ulong code) => Names.GetValueOrDefault(code, "");

    /// <summary>Finds a function by its lower-case name; being named does not mean that it can be computed.</summary>
    public static bool TryGetCode(string name, out ulong code) => Codes.TryGetValue(name, out code);

    private static Dictionary<ulong, string> Table()
    {
        var names = new Dictionary<ulong, string>
        {
            [Identity] = "identity",
            [Sha1] = "sha1",
            [Sha2_256] = "sha2-256",
            [Sha2_512] = "sha2-512",
            [Sha3_224] = "sha3-224",
            [Sha3_256] = "sha3-256",
            [Sha3_384] = "sha3-384",
            [Sha3_512] = "sha3-512",
            [DblSha2_256] = "dbl-sha2-256",
            [Murmur3] = "murmur3-x64-64",
            [Keccak224] = "keccak-224",
            [Keccak256] = "keccak-256",
            [Keccak384] = "keccak-384",
            [Keccak512] = "keccak-512",
            [Blake3] = "blake3",
            [Shake128] = "shake-128",
            [Shake256] = "shake-256",
            [0x1012] = "sha2-256-trunc254-padded",
            [0x1100] = "x11",
            [0xb401] = "poseidon-bls12_381-a2-fc1",
            [Md5] = "md5",
        };
        for (var code = Blake2bMin; code <= Blake2bMax; code++)
        {
            names[code] = string.Create(CultureInfo.InvariantCulture, $"blake2b-{(code - Blake2bMin + 1) * 8}");
        }

        for (var code = Blake2sMin; code <= Blake2sMax; code++)
        {
            names[code] = string.Create(CultureInfo.InvariantCulture, $"blake2s-{(code - Blake2sMin + 1) * 8}");
        }

        return names;
    }
}
