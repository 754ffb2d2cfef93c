using Cluster.Consensus.Clients;
using Cluster.Consensus.Members;
using Cluster.Consensus.Replication;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Consensus.Lifecycle;

/// <summary>
/// The way to READY (spec/behaviour.md 2.1, spec/service-cli.md 2.2): consensus, the list of members, the daemon. Calls are answered
/// all the while. Under a supervisor it is he who says READY, when the other services serve too.
/// </summary>
public sealed class Startup(
    IConsensus consensus, IDaemon daemon, SelfPeer self, Readiness readiness, TimeProvider clock, ILogger logger, bool supervised = false)
    : BackgroundService
{
    private static readonly TimeSpan BetweenTries = TimeSpan.FromSeconds(1);

    /// <summary>The connector may need a moment longer than this service; then a second is too long a wait.</summary>
    private static readonly TimeSpan BetweenFirstTries = TimeSpan.FromMilliseconds(100);

    private const int FirstTries = 10;

    /// <inheritdoc/>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        Log.Listening(logger, SelfPeer.Version, string.Join('\n', self.Addresses.Select(a => $"        {a}")));
        return base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            readiness.Await("consensus");
            await consensus.ReadyAsync(stoppingToken);
            await LogMembersAsync(stoppingToken);
            readiness.Await("IPFS");
            Log.WaitingForIpfs(logger);
            Log.IpfsIsReady(logger, await WaitForDaemonAsync(stoppingToken));
            readiness.SetReady();
            if (!supervised)
                Log.Ready(logger);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopped before it was ready.
        }
    }

    private async Task LogMembersAsync(CancellationToken cancellationToken)
    {
        Log.ClusterPeers(logger);
        var others = (await consensus.PeersAsync(cancellationToken)).Where(p => p != self.Id).ToList();
        if (others.Count == 0)
            Log.ClusterPeer(logger, "No other peers");
        foreach (var peer in others)
            Log.ClusterPeer(logger, peer.ToString());
    }

    private async Task<string> WaitForDaemonAsync(CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            var id = await daemon.IdAsync(cancellationToken);
            if (id.Error.Length == 0 && id.Id.Length > 0)
                return id.Id;

            // One warning in ten seconds, as the original.
            if (tries > FirstTries && (tries - FirstTries) % 10 == 0)
                Log.IpfsNotReady(logger, tries - FirstTries);
            await Task.Delay(tries < FirstTries ? BetweenFirstTries : BetweenTries, clock, cancellationToken);
        }
    }
}
