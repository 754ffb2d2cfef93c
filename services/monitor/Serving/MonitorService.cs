using Cluster.Contracts.V1;
using Cluster.Monitor.Running;
using Grpc.Core;
using Libp2p;
using Contract = Cluster.Contracts.V1.Monitor;

namespace Cluster.Monitor.Serving;

/// <summary>The contract <c>Monitor</c>.</summary>
/// <param name="stopping">Cancelled when the process stops: watches end then with UNAVAILABLE instead of holding the stop up.</param>
public sealed class MonitorService(MetricHub hub, MonitorRunner runner, CancellationToken stopping) : Contract.MonitorBase
{
    private static readonly Empty Done = new();

    /// <inheritdoc/>
    public override Task<Empty> Publish(PublishRequest request, ServerCallContext context)
    {
        hub.Receive(request.Metrics.Select(MetricMessages.Read));
        return Task.FromResult(Done);
    }

    /// <inheritdoc/>
    public override Task<LatestResponse> Latest(LatestRequest request, ServerCallContext context)
    {
        var response = new LatestResponse();
        response.Metrics.Add(hub.Latest(request.Name).Select(MetricMessages.Write));
        return Task.FromResult(response);
    }

    /// <inheritdoc/>
    public override Task<NamesResponse> Names(Empty request, ServerCallContext context)
    {
        var response = new NamesResponse();
        response.Names.Add(hub.Names());
        return Task.FromResult(response);
    }

    /// <inheritdoc/>
    public override Task WatchLatest(Empty request, IServerStreamWriter<WatchLatestResponse> responseStream, ServerCallContext context) =>
        SendAsync(hub.WatchLatest(), responseStream, context, change =>
        {
            var response = new WatchLatestResponse();
            response.Metrics.Add(change.Metrics.Select(MetricMessages.Write));
            response.Expired.Add(change.Expired.Select(MetricMessages.Write));
            return response;
        });

    /// <inheritdoc/>
    public override Task WatchAlerts(Empty request, IServerStreamWriter<Alert> responseStream, ServerCallContext context) =>
        SendAsync(hub.WatchAlerts(), responseStream, context, MetricMessages.Write);

    /// <inheritdoc/>
    public override Task WatchOwn(Empty request, IServerStreamWriter<MetricBatch> responseStream, ServerCallContext context) =>
        SendAsync(hub.WatchOwn(), responseStream, context, metrics =>
        {
            var batch = new MetricBatch();
            batch.Metrics.Add(metrics.Select(MetricMessages.Write));
            return batch;
        });

    /// <inheritdoc/>
    public override async Task<Empty> SendInformers(Empty request, ServerCallContext context)
    {
        await runner.RunInformersAsync(context.CancellationToken);
        return Done;
    }

    /// <inheritdoc/>
    public override Task<Empty> SetMembers(SetMembersRequest request, ServerCallContext context)
    {
        hub.SetMembers([.. request.Peers.Select(peer => MetricMessages.ReadPeer(peer.Span))]);
        return Task.FromResult(Done);
    }

    /// <inheritdoc/>
    public override Task<Empty> Forget(ForgetRequest request, ServerCallContext context)
    {
        hub.Forget(MetricMessages.ReadPeer(request.Peer.Span));
        return Task.FromResult(Done);
    }

    private async Task SendAsync<TItem, TMessage>(
        Watch<TItem> watch, IServerStreamWriter<TMessage> stream, ServerCallContext context, Func<TItem, TMessage> write)
    {
        using var _ = watch;
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, stopping);
        try
        {
            await foreach (var item in watch.ReadAllAsync(ended.Token))
            {
                // Without the token: one that is cancelled within a write breaks the call as CANCELLED.
                await stream.WriteAsync(write(item));
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "the monitor stops"));
        }
        catch (WatcherTooSlowException failure)
        {
            throw new RpcException(new Status(StatusCode.Aborted, failure.Message));
        }
    }
}
