using Cluster.Consensus.Alerts;
using Cluster.Consensus.Clients;
using Cluster.Consensus.Lifecycle;
using Cluster.Consensus.Members;
using Cluster.Consensus.Peering;
using Cluster.Consensus.Pinning;
using Cluster.Consensus.Replication;
using Cluster.Consensus.Status;
using Cluster.Model;
using Cluster.PinState;
using Google.Protobuf;
using Grpc.Core;
using Libp2p;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Services;

/// <summary>What the cluster service needs; see the types.</summary>
public sealed record ClusterParts(
    IConsensus Consensus,
    PinOperations Operations,
    PinPlanner Planner,
    UnpinPlanner UnpinPlanner,
    GlobalStatus Status,
    StatusListing Listing,
    Membership Membership,
    SelfPeer Self,
    AlertList Alerts,
    Readiness Readiness,
    ClusterSettings Settings);

/// <summary>The contract <c>ipfscluster.v1.Cluster</c>: what the gateway and outside clients ask of a peer.</summary>
/// <remarks>Not derived from the generated base: its methods are bound by name, which asks for virtual ones.</remarks>
[BindServiceMethod(typeof(ClusterBinding), nameof(ClusterBinding.BindService))]
public class ClusterService(ClusterParts parts, ClusterPeering peering, IHostApplicationLifetime lifetime, ILoggerFactory loggers)
{
    private readonly ILogger _logger = loggers.CreateLogger("cluster");

    /// <summary>See the contract.</summary>
    public virtual Task<V1.PeerInfo> Id(V1.IdRequest request, ServerCallContext context) =>
        _logger.GuardAsync(() => parts.Self.DescribeAsync(context.CancellationToken).AsTask());

    /// <summary>See the contract.</summary>
    public virtual Task<V1.VersionResponse> Version(V1.Empty request, ServerCallContext context) =>
        Task.FromResult(new V1.VersionResponse { Version = SelfPeer.Version });

    /// <summary>See the contract.</summary>
    public virtual async Task<V1.ReadyResponse> Ready(V1.ReadyRequest request, ServerCallContext context)
    {
        if (request.Wait)
        {
            try
            {
                using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
                await parts.Readiness.WhenReady.WaitAsync(ending.Token);
            }
            catch (OperationCanceledException)
            {
                // The deadline: the answer tells what is still awaited.
            }
        }

        return new V1.ReadyResponse { Ready = parts.Readiness.IsReady, WaitingFor = parts.Readiness.WaitingFor };
    }

    /// <summary>See the contract.</summary>
    public virtual Task Peers(V1.PeersRequest request, IServerStreamWriter<V1.PeersResponse> responseStream, ServerCallContext context) =>
        _logger.GuardAsync(async () =>
        {
            await foreach (var peer in parts.Membership.DescribeAllAsync(context.CancellationToken))
                await responseStream.WriteAsync(new V1.PeersResponse { Peers = { peer } }, context.CancellationToken);
        });

    /// <summary>See the contract.</summary>
    public virtual Task<V1.PeerInfo> PeerAdd(V1.PeerAddRequest request, ServerCallContext context) =>
        _logger.GuardAsync(() => parts.Membership.AddAsync(PinMapping.ToPeer(request.Peer), context.CancellationToken));

    /// <summary>See the contract.</summary>
    public virtual Task<V1.Empty> PeerRemove(V1.PeerRemoveRequest request, ServerCallContext context) => _logger.GuardAsync(async () =>
    {
        await parts.Membership.RemoveAsync(PinMapping.ToPeer(request.Peer), context.CancellationToken);
        return new V1.Empty();
    });

    /// <summary>See the contract.</summary>
    public virtual Task<V1.Empty> Join(V1.JoinRequest request, ServerCallContext context) => _logger.GuardAsync(async () =>
    {
        await peering.Joining.JoinAsync(PinMapping.ToAddress(request.Address), trust: false, context.CancellationToken);
        return new V1.Empty();
    });

    /// <summary>See the contract.</summary>
    public virtual Task<V1.Pin> Pin(V1.PinRequest request, ServerCallContext context) => _logger.GuardAsync(async () =>
        PinMapping.ToMessage(await parts.Operations.PinAsync(PinMapping.ToPin(request), context.CancellationToken)));

    /// <summary>See the contract.</summary>
    public virtual Task<V1.Pin> Unpin(V1.UnpinRequest request, ServerCallContext context) => _logger.GuardAsync(async () =>
        PinMapping.ToMessage(await parts.Operations.UnpinAsync(PinMapping.ToCid(request.Cid), context.CancellationToken)));

    /// <summary>See the contract.</summary>
    public virtual Task<V1.Pin> PinPath(V1.PinPathRequest request, ServerCallContext context) => _logger.GuardAsync(async () =>
    {
        var cid = await parts.Operations.ResolveAsync(request.Path, context.CancellationToken);
        return PinMapping.ToMessage(await parts.Operations.PinAsync(PinMapping.ToPin(cid, request.Options, null), context.CancellationToken));
    });

    /// <summary>See the contract.</summary>
    public virtual Task<V1.Pin> UnpinPath(V1.UnpinPathRequest request, ServerCallContext context) => _logger.GuardAsync(async () =>
    {
        var cid = await parts.Operations.ResolveAsync(request.Path, context.CancellationToken);
        return PinMapping.ToMessage(await parts.Operations.UnpinAsync(cid, context.CancellationToken));
    });

    /// <summary>See the contract.</summary>
    public virtual Task Calls(
        IAsyncStreamReader<V1.CallBatch> requestStream, IServerStreamWriter<V1.CallResultBatch> responseStream, ServerCallContext context) =>
        _logger.GuardAsync(async () =>
        {
            using var stream = new CallStream(parts, _logger);
            await stream.RunAsync(requestStream, responseStream, lifetime.ApplicationStopping, context.CancellationToken);
        });

    /// <summary>See the contract.</summary>
    public virtual Task<V1.Pin> Allocation(V1.AllocationRequest request, ServerCallContext context) => _logger.GuardAsync(() =>
    {
        var pin = parts.Consensus.State.Find(PinMapping.ToCid(request.Cid))
            ?? throw new ClusterException(ClusterErrorKind.NotFound, PinValidation.NotInPinset);
        return Task.FromResult(PinMapping.ToMessage(pin));
    });

    /// <summary>Served from the records as they are; see <see cref="ClusterBinding"/>.</summary>
    public virtual Task Allocations(V1.AllocationsRequest request, IServerStreamWriter<RawMessage> responseStream, ServerCallContext context) =>
        _logger.GuardAsync(async () =>
        {
            using var snapshot = parts.Consensus.State.CreateSnapshot();
            var filter = new PinFilter { Types = StateService.TypesOf(request.Types_) };
            await RecordLists.WriteAsync(snapshot, filter, (message, _) => { }, responseStream, context.CancellationToken);
        });

    /// <summary>See the contract.</summary>
    public virtual Task<V1.GlobalPinInfo> Status(V1.StatusRequest request, ServerCallContext context) => _logger.GuardAsync(() =>
        parts.Status.StatusAsync(PinMapping.ToCid(request.Cid), request.Local, context.CancellationToken).AsTask());

    /// <summary>Passed on as it comes; see <see cref="ClusterBinding"/>.</summary>
    public virtual Task StatusAll(V1.StatusAllRequest request, IServerStreamWriter<RawMessage> responseStream, ServerCallContext context) =>
        _logger.GuardAsync(() => request.Cids.Count > 0
            ? StatusOfAsync(request, responseStream, context.CancellationToken)
            : parts.Listing.StatusAllAsync(
                request.StatusMask, request.Local, message => responseStream.WriteAsync(message, context.CancellationToken), context.CancellationToken));

    /// <summary>See the contract.</summary>
    public virtual Task<V1.GlobalPinInfo> Recover(V1.RecoverRequest request, ServerCallContext context) => _logger.GuardAsync(() =>
        parts.Status.RecoverAsync(PinMapping.ToCid(request.Cid), request.Local, context.CancellationToken).AsTask());

    /// <summary>Passed on as it comes; see <see cref="ClusterBinding"/>.</summary>
    public virtual Task RecoverAll(V1.RecoverAllRequest request, IServerStreamWriter<RawMessage> responseStream, ServerCallContext context) =>
        _logger.GuardAsync(() => parts.Listing.RecoverAllAsync(
            request.Local, message => responseStream.WriteAsync(message, context.CancellationToken), context.CancellationToken));

    /// <summary>See the contract.</summary>
    public virtual Task<V1.ClusterRepoGcResponse> RepoGc(V1.ClusterRepoGcRequest request, ServerCallContext context) =>
        _logger.GuardAsync(() => parts.Membership.CollectGarbageAsync(request.Local, context.CancellationToken));

    /// <summary>See the contract.</summary>
    public virtual Task<V1.ConnectGraphResponse> ConnectGraph(V1.Empty request, ServerCallContext context) =>
        _logger.GuardAsync(() => parts.Membership.ConnectGraphAsync(context.CancellationToken));

    /// <summary>See the contract.</summary>
    public virtual Task<V1.AlertsResponse> Alerts(V1.Empty request, ServerCallContext context)
    {
        var response = new V1.AlertsResponse();
        response.Alerts.Add(parts.Alerts.NewestFirst());
        return Task.FromResult(response);
    }

    /// <summary>See the contract.</summary>
    public virtual Task<V1.BandwidthResponse> Bandwidth(V1.Empty request, ServerCallContext context)
    {
        var response = new V1.BandwidthResponse { Measured = true };
        foreach (var carried in peering.Bandwidth.Current())
        {
            response.Protocols[carried.Protocol] = new V1.BandwidthResponse.Types.Protocol
            {
                TotalIn = carried.Received,
                TotalOut = carried.Sent,
                RateIn = carried.ReceiveRate,
                RateOut = carried.SendRate,
            };
        }

        return Task.FromResult(response);
    }

    /// <summary>See the contract.</summary>
    public virtual Task<V1.BlockAllocateResponse> BlockAllocate(V1.BlockAllocateRequest request, ServerCallContext context) =>
        _logger.GuardAsync(() =>
        {
            var pin = PinMapping.ToPin(PinMapping.ToOptionalCid(request.Cid, "cid"), request.Options, null);
            var response = new V1.BlockAllocateResponse();
            foreach (var peer in parts.Planner.PlanBlocks(pin, parts.Membership.ReachablePeers))
                response.Peers.Add(UnsafeByteOperations.UnsafeWrap(peer.ToBytes()));
            return Task.FromResult(response);
        });

    private async Task StatusOfAsync(
        V1.StatusAllRequest request, IServerStreamWriter<RawMessage> responseStream, CancellationToken cancellationToken)
    {
        using var message = new RawMessage(64 << 10);
        foreach (var chunk in request.Cids.Chunk(256))
        {
            var asked = chunk.Select(cid => parts.Status.StatusAsync(PinMapping.ToCid(cid), request.Local, cancellationToken).AsTask()).ToList();
            var batch = new V1.GlobalPinInfoBatch();
            for (var i = 0; i < asked.Count; i++)
            {
                try
                {
                    batch.Items.Add(await asked[i]);
                }
                catch (Exception e) when (!cancellationToken.IsCancellationRequested)
                {
                    batch.Failures.Add(new V1.StatusFailure { Cid = chunk[i], Error = RpcErrors.ItemOf(e, _logger) });
                }
            }

            message.Clear();
            message.Message(batch);
            await responseStream.WriteAsync(message, cancellationToken);
        }
    }
}
