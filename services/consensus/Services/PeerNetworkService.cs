using Cluster.Consensus.Clients;
using Cluster.Consensus.Members;
using Cluster.Consensus.Metrics;
using Cluster.Consensus.Peering;
using Cluster.Consensus.Rpc;
using Google.Protobuf;
using Grpc.Core;
using Libp2p;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Services;

/// <summary>
/// The contract <c>ipfscluster.v1.PeerNetwork</c>: metrics by gossip, questions to other peers, connections to them.
/// </summary>
public sealed class PeerNetworkService(SelfPeer self, ClusterPeering peering, ITracker tracker, IDaemon daemon, IRemotePeers remote, IHostApplicationLifetime lifetime, ILoggerFactory loggers)
    : V1.PeerNetwork.PeerNetworkBase
{
    private readonly ILogger _logger = loggers.CreateLogger("cluster");

    /// <inheritdoc/>
    public override Task<V1.Empty> PublishMetrics(V1.NetworkMetrics request, ServerCallContext context)
    {
        peering.Metrics.Publish(request.Metrics.Select(MetricMessages.Read));
        return Task.FromResult(new V1.Empty());
    }

    /// <inheritdoc/>
    public override Task ReceiveMetrics(V1.Empty request, IServerStreamWriter<V1.NetworkMetrics> responseStream, ServerCallContext context) =>
        _logger.GuardAsync(() => lifetime.UntilStopAsync(context, async token =>
        {
            using var reader = peering.Metrics.Read();
            await foreach (var metrics in reader.Batches.ReadAllAsync(token))
            {
                var message = new V1.NetworkMetrics();
                message.Metrics.Add(metrics.Select(MetricMessages.Write));
                await responseStream.WriteAsync(message, token);
            }
        }));

    /// <inheritdoc/>
    public override Task<V1.PinInfo> TrackerStatus(V1.PeerTrackerStatusRequest request, ServerCallContext context) => _logger.GuardAsync(() =>
        TrackerOf(request.Peer).StatusAsync(PinMapping.ToCid(request.Cid), 0, context.CancellationToken).AsTask());

    /// <inheritdoc/>
    public override Task TrackerStatusAll(
        V1.PeerTrackerStatusAllRequest request, IServerStreamWriter<V1.PeerTrackerStatusAllResponse> responseStream, ServerCallContext context) =>
        _logger.GuardAsync(() => SendAsync(
            TrackerOf(request.Peer).StatusAllAsync(request.StatusMask, 0, context.CancellationToken), responseStream, context));

    /// <inheritdoc/>
    public override Task<V1.PinInfo> TrackerRecover(V1.PeerTrackerStatusRequest request, ServerCallContext context) => _logger.GuardAsync(() =>
        TrackerOf(request.Peer).RecoverAsync(PinMapping.ToCid(request.Cid), 0, context.CancellationToken).AsTask());

    /// <inheritdoc/>
    public override Task TrackerRecoverAll(
        V1.PeerRequest request, IServerStreamWriter<V1.PeerTrackerStatusAllResponse> responseStream, ServerCallContext context) =>
        _logger.GuardAsync(() => SendAsync(TrackerOf(request.Peer).RecoverAllAsync(0, context.CancellationToken), responseStream, context));

    /// <inheritdoc/>
    public override Task<V1.RepoGc> RepoGc(V1.PeerRequest request, ServerCallContext context) => _logger.GuardAsync(async () =>
    {
        var result = new V1.RepoGc { Peer = request.Peer, PeerName = IsSelf(request.Peer) ? self.Name : string.Empty };
        result.Keys.Add(await DaemonOf(request.Peer).RepoGcAsync(context.CancellationToken));
        return result;
    });

    /// <inheritdoc/>
    public override Task<V1.PeerSwarmPeersResponse> SwarmPeers(V1.PeerRequest request, ServerCallContext context) => _logger.GuardAsync(async () =>
    {
        var response = new V1.PeerSwarmPeersResponse();
        response.Peers.Add(await DaemonOf(request.Peer).SwarmPeersAsync(context.CancellationToken));
        return response;
    });

    /// <inheritdoc/>
    public override Task<V1.PeerInfo> Id(V1.PeerRequest request, ServerCallContext context) => _logger.GuardAsync(async () =>
        IsSelf(request.Peer)
            ? await self.DescribeAsync(context.CancellationToken)
            : await remote.IdAsync(PinMapping.ToPeer(request.Peer), context.CancellationToken));

    /// <inheritdoc/>
    public override Task<V1.PeerRepoStatResponse> RepoStat(V1.PeerRequest request, ServerCallContext context) => _logger.GuardAsync(async () =>
    {
        var stat = await DaemonOf(request.Peer).RepoStatAsync(context.CancellationToken);
        return new V1.PeerRepoStatResponse { RepoSize = stat.RepoSize, StorageMax = stat.StorageMax };
    });

    /// <inheritdoc/>
    public override Task PutBlocks(
        IAsyncStreamReader<V1.NetworkPutBlocksRequest> requestStream, IServerStreamWriter<V1.NetworkPutBlocksResponse> responseStream,
        ServerCallContext context) => _logger.GuardAsync(async () =>
    {
        if (!await requestStream.MoveNext(context.CancellationToken) || requestStream.Current.Peers.Count == 0)
            throw new ClusterException(ClusterErrorKind.InvalidArgument, "the first message names no peers");
        var peers = requestStream.Current.Peers.Select(peer => (PinMapping.ToPeer(peer), DaemonOf(peer))).Distinct().ToList();
        await using var fan = new BlockFan(peers, _logger, context.CancellationToken);
        var reporting = fan.ReportAsync(response => responseStream.WriteAsync(response, context.CancellationToken), context.CancellationToken);
        try
        {
            Task<bool> moving;
            do
            {
                if (requestStream.Current.Blocks.Count > 0)
                    await fan.PutAsync(requestStream.Current.Blocks, context.CancellationToken);
                moving = requestStream.MoveNext(context.CancellationToken);
            }
            while (await Task.WhenAny(moving, reporting) == moving && await moving);

            // All reports are in before the blocks: nobody is left to take any. The read ends with the call.
            if (!moving.IsCompleted)
                _ = moving.ContinueWith(static t => t.Exception, TaskScheduler.Default);
        }
        finally
        {
            fan.Complete();
            await reporting;
        }
    });

    /// <inheritdoc/>
    public override Task<V1.ConnectedResponse> Connected(V1.Empty request, ServerCallContext context) =>
        Task.FromResult(Describe(peering.Network.Host));

    /// <inheritdoc/>
    public override Task<V1.Empty> Connect(V1.ConnectRequest request, ServerCallContext context) => _logger.GuardAsync(async () =>
    {
        var address = PinMapping.ToAddress(request.Address);
        if (address.PeerId is null)
            throw new ClusterException(ClusterErrorKind.InvalidArgument, $"{address} does not end with /p2p/<peer>");
        try
        {
            await peering.Network.Host.DialAsync(address, context.CancellationToken);
            return new V1.Empty();
        }
        catch (DialException e)
        {
            throw new ClusterException(ClusterErrorKind.Unavailable, DialTexts.Of(e), e);
        }
    });

    private static V1.ConnectedResponse Describe(Libp2pHost host)
    {
        var response = new V1.ConnectedResponse();
        foreach (var peer in host.ConnectedPeers.Order())
        {
            var known = new V1.ConnectedResponse.Types.Peer { Id = UnsafeByteOperations.UnsafeWrap(peer.ToBytes()) };
            known.Addresses.Add(host.Peerstore.Addresses(peer).Select(a => UnsafeByteOperations.UnsafeWrap(a.WithPeer(peer).ToBytes())));
            response.Peers.Add(known);
        }

        return response;
    }

    private static async Task SendAsync(
        IAsyncEnumerable<StatusPage> pages, IServerStreamWriter<V1.PeerTrackerStatusAllResponse> responses, ServerCallContext context)
    {
        await foreach (var page in pages)
        {
            var response = new V1.PeerTrackerStatusAllResponse();
            response.Items.Add(page.Decode().Items);
            await responses.WriteAsync(response, context.CancellationToken);
        }
    }

    private bool IsSelf(ByteString peer) => peer.Span.SequenceEqual(self.Id.Bytes);

    private ITracker TrackerOf(ByteString peer) => IsSelf(peer) ? tracker : remote.TrackerOf(PinMapping.ToPeer(peer));

    private IDaemon DaemonOf(ByteString peer) => IsSelf(peer) ? daemon : remote.DaemonOf(PinMapping.ToPeer(peer));
}
