using System.Reflection;
using System.Runtime.InteropServices;

namespace Libp2p.Native;

/// <summary>What .NET does not have and libsodium does: Ed25519, X25519, XSalsa20.</summary>
internal static unsafe partial class Sodium
{
    private const string Library = "libsodium";

    static Sodium()
    {
        NativeLibrary.SetDllImportResolver(typeof(Sodium).Assembly, Resolve);
        if (sodium_init() < 0) throw new DllNotFoundException("libsodium refused to initialise.");
    }

    // Distributions ship the versioned name without the development link.
    private static readonly string[] Names = ["libsodium.so.23", "libsodium.so.26", "libsodium", "libsodium.dylib", "libsodium.dll"];

    private static IntPtr Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name != Library) return IntPtr.Zero;
        foreach (string candidate in Names)
        {
            if (NativeLibrary.TryLoad(candidate, assembly, path, out IntPtr handle)) return handle;
        }
        throw new DllNotFoundException("libsodium is missing: install the package libsodium23 (Debian) or libsodium (others).");
    }

    public static void Ed25519FromSeed(ReadOnlySpan<byte> seed, Span<byte> publicKey, Span<byte> secretKey)
    {
        Require(seed.Length == 32 && publicKey.Length == 32 && secretKey.Length == 64);
        fixed (byte* s = seed, p = publicKey, k = secretKey) Check(crypto_sign_ed25519_seed_keypair(p, k, s));
    }

    public static void Ed25519Sign(ReadOnlySpan<byte> secretKey, ReadOnlySpan<byte> message, Span<byte> signature)
    {
        Require(secretKey.Length == 64 && signature.Length == 64);
        fixed (byte* k = secretKey, m = message, s = signature)
            Check(crypto_sign_ed25519_detached(s, null, m, (ulong)message.Length, k));
    }

    public static bool Ed25519Verify(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        if (publicKey.Length != 32 || signature.Length != 64) return false;
        fixed (byte* p = publicKey, m = message, s = signature)
            return crypto_sign_ed25519_verify_detached(s, m, (ulong)message.Length, p) == 0;
    }

    /// <summary>The public half of an X25519 key.</summary>
    public static void X25519Base(ReadOnlySpan<byte> scalar, Span<byte> point)
    {
        Require(scalar.Length == 32 && point.Length == 32);
        fixed (byte* n = scalar, q = point) Check(crypto_scalarmult_curve25519_base(q, n));
    }

    /// <summary>The shared secret; false for points of low order, whose secret anybody could know.</summary>
    public static bool X25519(ReadOnlySpan<byte> scalar, ReadOnlySpan<byte> point, Span<byte> shared)
    {
        Require(scalar.Length == 32 && point.Length == 32 && shared.Length == 32);
        fixed (byte* n = scalar, p = point, q = shared) return crypto_scalarmult_curve25519(q, n, p) == 0;
    }

    /// <summary>The XSalsa20 subkey of a nonce: HSalsa20 of the key and the nonce's first 16 bytes.</summary>
    public static void HSalsa20(ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce16, Span<byte> subkey)
    {
        Require(key.Length == 32 && nonce16.Length == 16 && subkey.Length == 32);
        fixed (byte* k = key, n = nonce16, s = subkey) Check(crypto_core_hsalsa20(s, n, k, null));
    }

    /// <summary>XORs the Salsa20 keystream from the given 64-byte block on; input and output may be the same memory.</summary>
    public static void Salsa20Xor(ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce8, ulong block, ReadOnlySpan<byte> input, Span<byte> output)
    {
        Require(key.Length == 32 && nonce8.Length == 8 && output.Length >= input.Length);
        fixed (byte* k = key, n = nonce8, i = input, o = output)
            Check(crypto_stream_salsa20_xor_ic(o, i, (ulong)input.Length, n, block, k));
    }

    private static void Require(bool condition)
    {
        if (!condition) throw new ArgumentException("A buffer for libsodium has the wrong size.");
    }

    private static void Check(int result)
    {
        if (result != 0) throw new System.Security.Cryptography.CryptographicException("libsodium refused the operation.");
    }

    [LibraryImport(Library)]
    private static partial int sodium_init();

    [LibraryImport(Library)]
    private static partial int crypto_sign_ed25519_seed_keypair(byte* pk, byte* sk, byte* seed);

    [LibraryImport(Library)]
    private static partial int crypto_sign_ed25519_detached(byte* sig, ulong* siglen, byte* m, ulong mlen, byte* sk);

    [LibraryImport(Library)]
    private static partial int crypto_sign_ed25519_verify_detached(byte* sig, byte* m, ulong mlen, byte* pk);

    [LibraryImport(Library)]
    private static partial int crypto_scalarmult_curve25519_base(byte* q, byte* n);

    [LibraryImport(Library)]
    private static partial int crypto_scalarmult_curve25519(byte* q, byte* n, byte* p);

    [LibraryImport(Library)]
    private static partial int crypto_core_hsalsa20(byte* output, byte* input, byte* k, byte* c);

    [LibraryImport(Library)]
    private static partial int crypto_stream_salsa20_xor_ic(byte* c, byte* m, ulong mlen, byte* n, ulong ic, byte* k);
}
