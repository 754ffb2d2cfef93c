namespace Ipld;

/// <summary>A self-describing digest: hash function code, digest length, digest.</summary>
public readonly struct Multihash : IEquatable<Multihash>
{
    private readonly ReadOnlyMemory<byte> _bytes;

    internal Multihash(ReadOnlyMemory<byte> validated) => _bytes = validated;

    /// <summary>The whole multihash: code, length, digest.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.Span;

    /// <summary>The hash function (<see cref="MultihashCode"/>).</summary>
    public ulong Code
    {
        get
        {
            Varint.TryRead(Bytes, out var code, out _, out _);
            return code;
        }
    }

    /// <summary>The digest alone; it may be shorter than the function's own output (a truncated digest is valid).</summary>
    public ReadOnlySpan<byte> Digest
    {
        get
        {
            var bytes = Bytes;
            Varint.TryRead(bytes, out _, out var codeLength, out _);
            Varint.TryRead(bytes[codeLength..], out var digestLength, out _, out _);
            return bytes[(bytes.Length - (int)digestLength)..];
        }
    }

    /// <summary>The function's name in the multihash table; empty when unknown.</summary>
    public string Name => MultihashCode.NameOf(Code);

    /// <summary>A multihash of a digest that was already computed.</summary>
    public static Multihash Create(ulong code, ReadOnlySpan<byte> digest)
    {
        var bytes = new byte[Varint.Size(code) + Varint.Size((ulong)digest.Length) + digest.Length];
        var at = Varint.Write(bytes, code);
        at += Varint.Write(bytes.AsSpan(at), (ulong)digest.Length);
        digest.CopyTo(bytes.AsSpan(at));
        return new Multihash(bytes);
    }

    /// <summary>Takes bytes that are exactly one multihash.</summary>
    /// <param name="bytes">Copied.</param>
    /// <param name="multihash">The result.</param>
    /// <param name="error">What is wrong, in the words of go-multihash; empty on success.</param>
    public static bool TryFromBytes(ReadOnlySpan<byte> bytes, out Multihash multihash, out string error)
    {
        multihash = default;
        if (!TryMeasure(bytes, out var length, out _, out var digestLength, out error))
        {
            return false;
        }

        if (length != bytes.Length)
        {
            error = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"multihash length inconsistent: expected {digestLength}; got {length}");
            return false;
        }

        multihash = new Multihash(bytes.ToArray());
        return true;
    }

    /// <summary>Measures the multihash at the start of <paramref name="source"/>.</summary>
    /// <param name="source">Bytes that start with a multihash.</param>
    /// <param name="length">Bytes of the whole multihash.</param>
    /// <param name="code">The hash function.</param>
    /// <param name="digestLength">Bytes of the digest, the last ones of the multihash.</param>
    /// <param name="error">What is wrong, in the words of go-multihash; empty on success.</param>
    public static bool TryMeasure(ReadOnlySpan<byte> source, out int length, out ulong code, out int digestLength, out string error)
    {
        length = 0;
        code = 0;
        digestLength = 0;
        if (source.Length < 2)
        {
            error = "multihash too short. must be >= 2 bytes";
            return false;
        }

        if (!Varint.TryRead(source, out code, out var codeLength, out error)
            || !Varint.TryRead(source[codeLength..], out var size, out var sizeLength, out error))
        {
            return false;
        }

        if (size > int.MaxValue)
        {
            error = "digest too long, supporting only <= 2^31-1";
            return false;
        }

        if ((int)size > source.Length - codeLength - sizeLength)
        {
            error = "length greater than remaining number of bytes in buffer";
            return false;
        }

        digestLength = (int)size;
        length = codeLength + sizeLength + digestLength;
        return true;
    }

    /// <inheritdoc/>
    public bool Equals(Multihash other) => Bytes.SequenceEqual(other.Bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Multihash other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(Bytes);
        return hash.ToHashCode();
    }

    /// <summary>Same bytes.</summary>
    public static bool operator ==(Multihash left, Multihash right) => left.Equals(right);

    /// <summary>Other bytes.</summary>
    public static bool operator !=(Multihash left, Multihash right) => !left.Equals(right);

    /// <summary>The bytes in lower-case hexadecimal, as go-multihash prints them.</summary>
    public override string ToString() => Convert.ToHexStringLower(Bytes);
}
