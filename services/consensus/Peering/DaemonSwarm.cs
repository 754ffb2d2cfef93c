using Cluster.Consensus.Members;
using Grpc.Core;
using Libp2p;
using Microsoft.Extensions.Logging;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Peering;

/// <summary>Connects this peer's daemon to the daemons of the other members, so that content travels between them (spec/behaviour.md 16.6).</summary>
public sealed class DaemonSwarm(PeerId self, CallInvoker connector, Membership membership, ILogger logger)
{
    /// <summary>One round takes as long as the daemon needs for its slowest dial.</summary>
    private static readonly TimeSpan RoundLimit = TimeSpan.FromMinutes(5);

    private readonly V1.Connector.ConnectorClient _connector = new(connector);

    /// <summary>Tells the daemon every address that the other members name of theirs. Addresses that lead nowhere are passed over.</summary>
    public async Task ConnectAsync(CancellationToken cancellationToken)
    {
        var request = new V1.SwarmConnectRequest();
        await foreach (var peer in membership.DescribeAllAsync(cancellationToken))
        {
            if (peer.Error.Length == 0 && !peer.Id.Span.SequenceEqual(self.Bytes) && peer.Ipfs is { Error.Length: 0 } daemon)
                request.Addresses.Add(daemon.Addresses);
        }

        if (request.Addresses.Count == 0)
            return;
        try
        {
            await _connector.SwarmConnectAsync(request, deadline: DateTime.UtcNow + RoundLimit, cancellationToken: cancellationToken);
        }
        catch (RpcException e) when (!cancellationToken.IsCancellationRequested)
        {
            PeeringLog.SwarmNotConnected(logger, e.Status.Detail);
        }
    }
}
