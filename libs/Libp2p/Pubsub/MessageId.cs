namespace Libp2p.Pubsub;

/// <summary>Names a message in caches and control messages: opaque bytes, equal by content.</summary>
public readonly struct MessageId : IEquatable<MessageId>
{
    private readonly byte[]? bytes;

    /// <param name="bytes">The name; not copied.</param>
    public MessageId(byte[] bytes) => this.bytes = bytes;

    /// <summary>The bytes of the name.</summary>
    public ReadOnlySpan<byte> Bytes => bytes;

    /// <summary>The name that gossipsub gives by default: author and sequence number.</summary>
    public static MessageId Standard(PubsubMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        return new([.. message.From.Span, .. message.SequenceNumber.Span]);
    }

    /// <summary>The first bytes of the author, and the sequence number: the name in IPFS Cluster's networks (spec libp2p §12).</summary>
    /// <param name="authorBytes">Bytes taken of the author.</param>
    public static Func<PubsubMessage, MessageId> ShortAuthor(int authorBytes) =>
        message => new([.. message.From.Span[..Math.Min(authorBytes, message.From.Length)], .. message.SequenceNumber.Span]);

    /// <inheritdoc/>
    public bool Equals(MessageId other) => Bytes.SequenceEqual(other.Bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is MessageId other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(Bytes);
        return hash.ToHashCode();
    }

    /// <summary>Equality by content.</summary>
    public static bool operator ==(MessageId left, MessageId right) => left.Equals(right);

    /// <summary>Inequality by content.</summary>
    public static bool operator !=(MessageId left, MessageId right) => !left.Equals(right);

    /// <inheritdoc/>
    public override string ToString() => Convert.ToHexStringLower(Bytes);
}
