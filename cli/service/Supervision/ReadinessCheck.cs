using Cluster.Contracts.V1;
using Cluster.Hosting;
using Cluster.Hosting.Clients;
using Grpc.Core;
using Grpc.Health.V1;

namespace Cluster.Service.Supervision;

/// <summary>Waits until every service serves and consensus says that the peer is ready: its state is there and IPFS answered.</summary>
internal sealed class ReadinessCheck(ServiceChannels channels)
{
    /// <summary>Between a failure and the next call, which waits for the service by itself only while nothing listens.</summary>
    private static readonly TimeSpan again = TimeSpan.FromMilliseconds(20);

    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(ServiceName.All.Select(service => ServingAsync(service, cancellationToken)));
        var consensus = new Contracts.V1.Cluster.ClusterClient(channels.For(ServiceName.Consensus));
        await RepeatAsync(
            async () => (await consensus.ReadyAsync(new ReadyRequest { Wait = true }, cancellationToken: cancellationToken)).Ready,
            cancellationToken);
    }

    private Task ServingAsync(ServiceName service, CancellationToken cancellationToken)
    {
        var health = new Grpc.Health.V1.Health.HealthClient(channels.For(service));
        return RepeatAsync(
            async () =>
            {
                using var watch = health.Watch(new HealthCheckRequest(), cancellationToken: cancellationToken);
                while (await watch.ResponseStream.MoveNext(cancellationToken))
                {
                    if (watch.ResponseStream.Current.Status == HealthCheckResponse.Types.ServingStatus.Serving)
                        return true;
                }

                return false;
            },
            cancellationToken);
    }

    /// <summary>A service that restarts meanwhile breaks the call; opening the next one waits for it (see ServiceDialer).</summary>
    private static async Task RepeatAsync(Func<Task<bool>> done, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                if (await done())
                    return;
            }
            catch (RpcException error) when (error.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.Internal
                && !cancellationToken.IsCancellationRequested)
            {
                // Starting, or gone again.
                await Task.Delay(again, cancellationToken);
            }
            catch (RpcException) when (cancellationToken.IsCancellationRequested)
            {
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
    }
}
