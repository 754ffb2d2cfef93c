using System.Text;
using Libp2p.Encodings;

namespace Libp2p;

/// <summary>One protocol of a multiaddress and its value.</summary>
public readonly struct MultiaddrComponent : IEquatable<MultiaddrComponent>
{
    private readonly byte[] value;

    internal MultiaddrComponent(AddressProtocol protocol, byte[] value)
    {
        Protocol = protocol;
        this.value = value;
    }

    /// <summary>The protocol.</summary>
    public AddressProtocol Protocol { get; }

    /// <summary>Bytes of the value, without length prefix.</summary>
    public ReadOnlySpan<byte> Bytes => value;

    /// <summary>Text of the value; empty for protocols without one. Paths keep their leading slash.</summary>
    public string Value => Protocol.Value?.Format(value) ?? "";

    internal int EncodedLength =>
        UVarint.Length((ulong)Protocol.Code) + value.Length
        + (Protocol.SizeBits == AddressProtocol.Variable ? UVarint.Length((ulong)value.Length) : 0);

    internal int Write(Span<byte> destination)
    {
        int n = UVarint.Write(destination, (ulong)Protocol.Code);
        if (Protocol.SizeBits == AddressProtocol.Variable) n += UVarint.Write(destination[n..], (ulong)value.Length);
        value.CopyTo(destination[n..]);
        return n + value.Length;
    }

    internal void AppendTo(StringBuilder text)
    {
        text.Append('/').Append(Protocol.Name);
        if (Protocol.SizeBits == 0) return;
        if (!Protocol.IsPath) text.Append('/');
        text.Append(Value);
    }

    /// <inheritdoc/>
    public bool Equals(MultiaddrComponent other) => ReferenceEquals(Protocol, other.Protocol) && Bytes.SequenceEqual(other.Bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is MultiaddrComponent other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(Protocol.Code);
        hash.AddBytes(value);
        return hash.ToHashCode();
    }

    /// <summary>Same protocol and value.</summary>
    public static bool operator ==(MultiaddrComponent left, MultiaddrComponent right) => left.Equals(right);

    /// <summary>Another protocol or value.</summary>
    public static bool operator !=(MultiaddrComponent left, MultiaddrComponent right) => !left.Equals(right);

    /// <summary>The component as text, with its slashes.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        AppendTo(text);
        return text.ToString();
    }
}
