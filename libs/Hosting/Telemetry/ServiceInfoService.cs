using Cluster.Contracts.V1;
using Google.Protobuf;
using Grpc.Core;

namespace Cluster.Hosting.Telemetry;

/// <summary>Hands out this process' metrics page.</summary>
internal sealed class ServiceInfoService(MetricsCollector metrics) : ServiceInfo.ServiceInfoBase
{
    public override Task<MetricsResponse> Metrics(MetricsRequest request, ServerCallContext context) =>
        Task.FromResult(new MetricsResponse { Text = ByteString.CopyFromUtf8(metrics.Print()) });
}
