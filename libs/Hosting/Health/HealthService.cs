using Grpc.Core;
using Grpc.Health.V1;
using Microsoft.Extensions.Hosting;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace Cluster.Hosting.Health;

/// <summary>
/// The standard health service over <see cref="ServiceHealth"/>. When the process stops, watchers learn that nothing serves any more, and
/// their streams end with UNAVAILABLE: they would hold the stop up otherwise.
/// </summary>
internal sealed class HealthService(ServiceHealth health, IHostApplicationLifetime application) : Grpc.Health.V1.Health.HealthBase
{
    public override Task<HealthCheckResponse> Check(HealthCheckRequest request, ServerCallContext context) =>
        health.Get(request.Service) is { } status
            ? Task.FromResult(new HealthCheckResponse { Status = status })
            : throw new RpcException(new Status(StatusCode.NotFound, $"there is no service \"{request.Service}\" here"));

    public override Task<HealthListResponse> List(HealthListRequest request, ServerCallContext context)
    {
        var response = new HealthListResponse();
        foreach (var (service, status) in health.GetAll())
            response.Statuses.Add(service, new HealthCheckResponse { Status = status });
        return Task.FromResult(response);
    }

    public override async Task Watch(HealthCheckRequest request, IServerStreamWriter<HealthCheckResponse> responseStream, ServerCallContext context)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, application.ApplicationStopping);
        ServingStatus? sent = null;
        while (true)
        {
            var stops = application.ApplicationStopping.IsCancellationRequested;
            var (observed, changed) = health.Observe(request.Service);
            var status = observed is null ? ServingStatus.ServiceUnknown : stops ? ServingStatus.NotServing : observed.Value;
            if (status != sent)
            {
                await responseStream.WriteAsync(new HealthCheckResponse { Status = status }, context.CancellationToken);
                sent = status;
            }

            if (stops)
                throw new RpcException(new Status(StatusCode.Unavailable, "the service stops"));
            await changed.WaitAsync(ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            context.CancellationToken.ThrowIfCancellationRequested();
        }
    }
}
