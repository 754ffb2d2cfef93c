using Cluster.Contracts.V1;
using Grpc.Core;
using KuboRpc;
using Microsoft.Extensions.Logging;

namespace Cluster.Connector.Running;

/// <summary>
/// Some time after the start, connects this daemon with those of the other members, so that they find each other's blocks at once
/// (spec/behaviour.md 16.6).
/// </summary>
/// <param name="delay">After the start; 0 = never.</param>
/// <param name="limit">Of the whole round (<c>ipfs_request_timeout</c>).</param>
public sealed class SwarmConnector(
    TimeSpan delay, TimeSpan limit, Cluster.Contracts.V1.Cluster.ClusterClient cluster, KuboClient client, TimeProvider time, ILogger logger)
{
    /// <summary>Members and addresses tried in one round at most.</summary>
    private const int MaxAddresses = 10_000;

    /// <summary>Timers take no more than about 49 days.</summary>
    private static readonly TimeSpan LongestDelay = TimeSpan.FromDays(40);

    /// <summary>Waits, then makes one round.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (delay <= TimeSpan.Zero)
            return;
        await Task.Delay(delay < LongestDelay ? delay : LongestDelay, time, cancellationToken);
        using var expired = new CancellationTokenSource(limit < LongestDelay ? limit : LongestDelay, time);
        using var round = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, expired.Token);
        try
        {
            await ConnectAsync(round.Token);
        }
        catch (RpcException failure) when (!cancellationToken.IsCancellationRequested)
        {
            ConnectorLog.NotAnswered(logger, "consensus", failure.Status.Detail);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            ConnectorLog.NotAnswered(logger, "consensus", "the round of swarm connects took too long");
        }
    }

    private async Task ConnectAsync(CancellationToken cancellationToken)
    {
        var addresses = new List<string>();
        using var call = cluster.Peers(new PeersRequest(), cancellationToken: cancellationToken);
        await foreach (var response in call.ResponseStream.ReadAllAsync(cancellationToken))
        {
            foreach (var peer in response.Peers.Where(peer => peer.Error.Length == 0 && peer.Ipfs is { Error.Length: 0 }))
                addresses.AddRange(peer.Ipfs.Addresses);
        }
        foreach (var address in addresses.Take(MaxAddresses))
        {
            try
            {
                await client.SwarmConnectAsync(address, cancellationToken);
                ConnectorLog.Connected(logger, address);
            }
            catch (KuboException failure)
            {
                // Most daemons announce addresses that cannot be reached from everywhere, and their own among them.
                ConnectorLog.NotConnected(logger, failure.Message);
            }
        }
    }
}
