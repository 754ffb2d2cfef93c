using System.Globalization;
using System.Numerics;

namespace Libp2p.Keys;

/// <summary>
/// The curve y² = x³ + 7 over the prime field (SEC 2, section 2.4.1), in Jacobian coordinates. .NET has no portable
/// secp256k1. Not constant in time: made for verifying; signing is here for identities of that type and leaks timing
/// to somebody who can measure on the same machine.
/// </summary>
internal static class Secp256k1Curve
{
    public static readonly BigInteger P = Hex("0fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f");
    public static readonly BigInteger N = Hex("0fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
    private static readonly BigInteger Gx = Hex("079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798");
    private static readonly BigInteger Gy = Hex("0483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8");

    public static readonly Point G = new(Gx, Gy, 1);

    /// <summary>A point; Z = 0 is the point at infinity.</summary>
    public readonly record struct Point(BigInteger X, BigInteger Y, BigInteger Z)
    {
        public static readonly Point Infinity = new(1, 1, 0);
    }

    public static Point Add(Point a, Point b)
    {
        if (a.Z.IsZero) return b;
        if (b.Z.IsZero) return a;
        BigInteger zz1 = a.Z * a.Z % P, zz2 = b.Z * b.Z % P;
        BigInteger u1 = a.X * zz2 % P, u2 = b.X * zz1 % P;
        BigInteger s1 = a.Y * zz2 % P * b.Z % P, s2 = b.Y * zz1 % P * a.Z % P;
        BigInteger h = Mod(u2 - u1), r = Mod(s2 - s1);
        if (h.IsZero) return r.IsZero ? Double(a) : Point.Infinity;
        BigInteger hh = h * h % P, hhh = hh * h % P, v = u1 * hh % P;
        BigInteger x = Mod(r * r - hhh - 2 * v);
        return new Point(x, Mod(r * (v - x) - s1 * hhh), a.Z * b.Z % P * h % P);
    }

    private static Point Double(Point a)
    {
        if (a.Z.IsZero || a.Y.IsZero) return Point.Infinity;
        BigInteger yy = a.Y * a.Y % P, s = 4 * a.X * yy % P, m = 3 * a.X * a.X % P;
        BigInteger x = Mod(m * m - 2 * s);
        return new Point(x, Mod(m * (s - x) - 8 * yy * yy), 2 * a.Y * a.Z % P);
    }

    public static Point Multiply(Point point, BigInteger scalar)
    {
        var result = Point.Infinity;
        for (int i = 255; i >= 0; i--)
        {
            result = Double(result);
            if (!(scalar >> i).IsEven) result = Add(result, point);
        }
        return result;
    }

    /// <summary>Affine coordinates; (0, 0) stands for infinity.</summary>
    public static (BigInteger X, BigInteger Y) Affine(Point point)
    {
        if (point.Z.IsZero) return (0, 0);
        BigInteger inverse = BigInteger.ModPow(point.Z, P - 2, P), square = inverse * inverse % P;
        return (point.X * square % P, point.Y * square % P * inverse % P);
    }

    public static byte[] Compress(Point point)
    {
        var (x, y) = Affine(point);
        var bytes = new byte[33];
        bytes[0] = (byte)(y.IsEven ? 2 : 3);
        Write(x, bytes.AsSpan(1));
        return bytes;
    }

    /// <summary>Reads a compressed (33 bytes), uncompressed or hybrid (65 bytes) point of the curve.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out Point point, out string error)
    {
        point = Point.Infinity;
        bool compressed = bytes.Length == 33 && bytes[0] is 2 or 3;
        if (!compressed && !(bytes.Length == 65 && bytes[0] is 4 or 6 or 7))
        {
            error = "a secp256k1 public key is a compressed or uncompressed point";
            return false;
        }
        BigInteger x = Number(bytes[1..33]), square = Mod(x * x % P * x + 7);
        error = "the secp256k1 public key is no point of the curve";
        if (x >= P) return false;
        BigInteger y = compressed ? BigInteger.ModPow(square, (P + 1) / 4, P) : Number(bytes[33..]);
        if (y >= P || y * y % P != square) return false;
        if (compressed && y.IsEven != (bytes[0] == 2)) y = P - y;
        if (!compressed && bytes[0] != 4 && y.IsEven != (bytes[0] == 6)) return false;
        point = new Point(x, y, 1);
        error = "";
        return true;
    }

    public static BigInteger Number(ReadOnlySpan<byte> bytes) => new(bytes, isUnsigned: true, isBigEndian: true);

    public static void Write(BigInteger number, Span<byte> destination)
    {
        destination.Clear();
        int length = number.GetByteCount(isUnsigned: true);
        number.TryWriteBytes(destination[(destination.Length - length)..], out _, isUnsigned: true, isBigEndian: true);
    }

    private static BigInteger Mod(BigInteger value)
    {
        value %= P;
        return value.Sign < 0 ? value + P : value;
    }

    private static BigInteger Hex(string digits) => BigInteger.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
