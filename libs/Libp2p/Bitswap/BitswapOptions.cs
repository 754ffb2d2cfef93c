namespace Libp2p.Bitswap;

/// <summary>Parameters of bitswap; the defaults are those of the reference implementation (spec crdt §13).</summary>
public sealed record BitswapOptions
{
    /// <summary>Bytes of a received message, at most; a longer one ends the stream.</summary>
    public int MaxMessageSize { get; init; } = 4 << 20;

    /// <summary>Bytes of blocks after which an answer is sent; a single larger block goes alone.</summary>
    public int TargetMessageSize { get; init; } = 16384;

    /// <summary>Blocks up to this many bytes are the answer to a question whether they are there.</summary>
    public int ReplaceHaveSize { get; init; } = 1024;

    /// <summary>Wants of one peer that are remembered until their block comes; further ones are answered, but forgotten.</summary>
    public int MaxWantsPerPeer { get; init; } = 1024;

    /// <summary>Bytes of a CID; entries with longer ones are ignored.</summary>
    public int MaxCidLength { get; init; } = 168;

    /// <summary>Time after which all peers are asked when those that should have a block do not answer.</summary>
    public TimeSpan SearchDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Time after which another peer is asked for a block that one has promised.</summary>
    public TimeSpan AnswerTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Time after which all wants are sent again.</summary>
    public TimeSpan ResendInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest time one answer or one message takes to be written; then the stream is reset.</summary>
    public TimeSpan SendTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Blocks that one session asks for at a time.</summary>
    public int SessionWindow { get; init; } = 256;
}
