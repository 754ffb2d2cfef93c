using System.Net;

namespace KuboRpc;

/// <summary>A call to the daemon that failed. The message is what a user of the original sees (spec/behaviour.md 16.5).</summary>
public abstract class KuboException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The daemon answered with another status than 200.</summary>
public sealed class DaemonRefusedException : KuboException
{
    internal DaemonRefusedException(string target, HttpStatusCode status, string? daemonMessage, string body)
        : base(
            daemonMessage != null
                ? $"IPFS error ({target}). Code: {(int)status}. Message: {daemonMessage}"
                : $"IPFS request failed (is it running?) ({target}). Code {(int)status}: {body}")
    {
        Status = status;
        DaemonMessage = daemonMessage;
    }

    /// <summary>The HTTP status.</summary>
    public HttpStatusCode Status { get; }

    /// <summary>The <c>Message</c> of the answer's JSON object, empty when it has none; null when the answer was no JSON object.</summary>
    public string? DaemonMessage { get; }

    /// <summary>
    /// Whether the daemon says that the CID is not pinned. Daemons word it differently (spec/local-ipfs.md: <c>path 'X' is not
    /// pinned</c>, <c>not pinned or pinned indirectly</c>, <c>X is not pinned</c>), so it is looked for as a part.
    /// </summary>
    public bool SaysNotPinned => DaemonMessage != null && DaemonMessage.Contains("not pinned", StringComparison.Ordinal);

    /// <summary>Whether the daemon says that the CID is pinned only as a part of another one.</summary>
    public bool SaysPinnedIndirectly => DaemonMessage != null && DaemonMessage.Contains("is pinned indirectly", StringComparison.Ordinal);

    /// <summary>Whether the daemon does not know the command.</summary>
    public bool IsUnknownCommand => Status == HttpStatusCode.NotFound;
}

/// <summary>No HTTP answer came: refused, reset, not HTTP, endless redirects.</summary>
public sealed class DaemonUnreachableException(string message, Exception? inner = null) : KuboException(message, inner);

/// <summary>An answer began with 200 but was cut, ended by a late error, or is not what was asked for.</summary>
public sealed class DaemonAnswerException(string message, Exception? inner = null) : KuboException(message, inner);

/// <summary>A call ended at its limit, or a pin made no progress for too long.</summary>
public sealed class DaemonTimeoutException(string message) : KuboException(message);

/// <summary>A content path that cannot be resolved: <c>invalid path "...": ...</c>.</summary>
public sealed class ContentPathException(string path, string why) : KuboException($"invalid path \"{path}\": {why}");

/// <summary>The daemon's configuration has no such key.</summary>
public sealed class ConfigKeyException(string message) : KuboException(message);

/// <summary>Unpinning is switched off by <c>unpin_disable</c>.</summary>
public sealed class UnpinDisabledException() : KuboException("ipfs unpinning is disallowed by configuration on this peer");
