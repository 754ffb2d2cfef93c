namespace Libp2p;

/// <summary>A stream was reset, by either side. What was not read yet is lost.</summary>
public sealed class StreamResetException(uint code, bool byRemote)
    : IOException(byRemote ? $"The peer reset the stream ({StreamErrorCode.Describe(code)})." : $"The stream was reset ({StreamErrorCode.Describe(code)}).")
{
    /// <summary>Reason, one of <see cref="StreamErrorCode"/> or the application's own.</summary>
    public uint Code { get; } = code;

    /// <summary>Whether the other side did it.</summary>
    public bool ByRemote { get; } = byRemote;
}

/// <summary>The connection under a stream is gone.</summary>
public sealed class ConnectionClosedException(string message, Exception? inner = null) : IOException(message, inner);

/// <summary>Reasons for resetting a stream, as libp2p numbers them.</summary>
public static class StreamErrorCode
{
    /// <summary>No reason given.</summary>
    public const uint None = 0;

    /// <summary>The protocols were not agreed in time or at all.</summary>
    public const uint ProtocolNegotiationFailed = 0x1001;

    /// <summary>A resource limit was exceeded.</summary>
    public const uint ResourceLimitExceeded = 0x1002;

    /// <summary>A text for people.</summary>
    public static string Describe(uint code) => code switch
    {
        None => "no reason given",
        ProtocolNegotiationFailed => "protocol negotiation failed",
        ResourceLimitExceeded => "resource limit exceeded",
        _ => $"code 0x{code:x}",
    };
}
