using Xunit;

namespace LocalIpfs;

/// <summary>One Kubo-like daemon for the tests of a class or collection (<c>IClassFixture&lt;IpfsDaemonFixture&gt;</c>).</summary>
public class IpfsDaemonFixture : IAsyncLifetime
{
    private IpfsDaemon? _daemon;

    /// <summary>The running daemon.</summary>
    public IpfsDaemon Daemon => _daemon ?? throw new InvalidOperationException("the daemon has not been started");

    /// <summary>How the daemon is started.</summary>
    protected virtual IpfsDaemonOptions Options { get; } = new();

    /// <inheritdoc/>
    public async Task InitializeAsync() => _daemon = await IpfsDaemon.StartAsync(Options);

    /// <inheritdoc/>
    public async Task DisposeAsync()
    {
        if (_daemon != null)
            await _daemon.DisposeAsync();
    }
}

/// <summary>One plain JS-IPFS daemon, as some users have.</summary>
public sealed class PlainIpfsDaemonFixture : IpfsDaemonFixture
{
    /// <inheritdoc/>
    protected override IpfsDaemonOptions Options { get; } = new() { LikeKubo = false };
}
