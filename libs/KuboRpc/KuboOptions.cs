namespace KuboRpc;

/// <summary>Limits of the calls. Defaults are those of spec/config.md 3.6.</summary>
public sealed record KuboOptions
{
    /// <summary>Where the daemon answers.</summary>
    public required DaemonAddress Address { get; init; }

    /// <summary>Limit of a whole call that has no limit of its own (<c>ipfs_request_timeout</c>).</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>A pin ends when it made no progress for this long (<c>pin_timeout</c>).</summary>
    public TimeSpan PinTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Limit of <c>pin/rm</c> (<c>unpin_timeout</c>); of <c>pin/update</c> too, which tells no progress.</summary>
    public TimeSpan UnpinTimeout { get; init; } = TimeSpan.FromHours(3);

    /// <summary>Limit of <c>repo/gc</c> (<c>repogc_timeout</c>).</summary>
    public TimeSpan RepoGcTimeout { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Whether <c>pin/rm</c> is refused (<c>unpin_disable</c>).</summary>
    public bool UnpinDisabled { get; init; }

    /// <summary>A daemon that does not take a connection within this time is not there: its machine is off, or drops what comes.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Connections kept to the daemon at most; requests beyond wait for one.</summary>
    public int MaxConnections { get; init; } = 256;

    /// <summary>
    /// A <c>block/put</c> request is closed when no further block comes for this long, so that its blocks are acknowledged.
    /// </summary>
    public TimeSpan BlockIdle { get; init; } = TimeSpan.FromMilliseconds(100);
}
