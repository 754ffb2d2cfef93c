using Cluster.Contracts.V1;
using Cluster.Gateway.Http;
using Cluster.Gateway.Rest;
using Cluster.Hosting;
using Cluster.Hosting.Batching;
using Microsoft.Extensions.Hosting;
using Monitor = Cluster.Contracts.V1.Monitor;

namespace Cluster.Gateway;

/// <summary>The REST API of the peer from start to stop. Not there when the configuration has no section for it.</summary>
internal sealed class RestFace(ServiceContext context, PeerClient peer, TimeProvider time) : IHostedService, IAsyncDisposable
{
    private HttpFace? face;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (!context.Configuration.RunsRestApi) return;
        Model.Configuration.RestApiSection section = context.Configuration.RestApi;
        try
        {
            HttpFaceOptions options = await FaceConfiguration.FromAsync(section, cancellationToken).ConfigureAwait(false);
            AccessLog log = section.HttpLogPath.Length > 0 ? new AccessLog(section.HttpLogPath, context.Logger("restapilog"), time) : new AccessLog(context.Logger("restapilog"), time);
            var api = new RestApi(peer, context.Loggers) { Authentication = () => face?.Authentication };
            face = new HttpFace(options, new Router(api.Routes), log, context.Loggers, time);
            await face.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException or InvalidOperationException)
        {
            throw new ServiceStartException("creating REST API component", error.Message, error);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => face?.StopAsync(cancellationToken) ?? Task.CompletedTask;

    public ValueTask DisposeAsync() => face?.DisposeAsync() ?? ValueTask.CompletedTask;
}

/// <summary>Hot calls to consensus over one duplex stream of batches.</summary>
internal sealed class BatchedClusterCalls : IClusterCalls, IAsyncDisposable
{
    private readonly BatchingCaller<Call, CallBatch, CallResult, CallResultBatch> caller;

    public BatchedClusterCalls(Contracts.V1.Cluster.ClusterClient cluster) =>
        caller = new BatchingCaller<Call, CallBatch, CallResult, CallResultBatch>(options => cluster.Calls(options), BatchShapes.Cluster);

    public async ValueTask<CallResult> CallAsync(Call call, CancellationToken cancellation) => await caller.CallAsync(call, cancellation).ConfigureAwait(false);

    public ValueTask DisposeAsync() => caller.DisposeAsync();
}

/// <summary>Makes the clients of the other services.</summary>
internal static class PeerClients
{
    public static PeerClient Create(ServiceContext context, TimeProvider time, BatchedClusterCalls calls) => new(
        new Contracts.V1.Cluster.ClusterClient(context.Channels.For(ServiceName.Consensus)),
        calls,
        new Monitor.MonitorClient(context.Channels.For(ServiceName.Monitor)),
        new Connector.ConnectorClient(context.Channels.For(ServiceName.Connector)),
        new PeerNetwork.PeerNetworkClient(context.Channels.For(ServiceName.Consensus)),
        time,
        context.Logger("restapi"));
}
