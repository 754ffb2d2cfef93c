using Cluster.Storage;
using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Services;

/// <summary>Failures as gRPC statuses; the texts are what users get.</summary>
internal static class RpcErrors
{
    internal static StatusCode CodeOf(ClusterErrorKind kind) => kind switch
    {
        ClusterErrorKind.InvalidArgument => StatusCode.InvalidArgument,
        ClusterErrorKind.NotFound => StatusCode.NotFound,
        ClusterErrorKind.FailedPrecondition => StatusCode.FailedPrecondition,
        ClusterErrorKind.ResourceExhausted => StatusCode.ResourceExhausted,
        ClusterErrorKind.Unavailable => StatusCode.Unavailable,
        ClusterErrorKind.NotTrusted => StatusCode.PermissionDenied,
        ClusterErrorKind.Unimplemented => StatusCode.Unimplemented,
        _ => StatusCode.Internal,
    };

    internal static Grpc.Core.Status StatusOf(Exception failure, ILogger logger)
    {
        switch (failure)
        {
            case ClusterException e:
                return new Grpc.Core.Status(CodeOf(e.Kind), e.Message, e);
            case RpcException e:
                return e.Status;
            case OperationCanceledException or IOException:
                // The other side is gone; the disk's failures have a type of their own.
                return new Grpc.Core.Status(StatusCode.Cancelled, "the call was cancelled");
            case StorageException e:
                return new Grpc.Core.Status(StatusCode.Internal, $"the state cannot be read: {e.Message}", e);
            default:
                Log.UnexpectedFailure(logger, failure);
                return new Grpc.Core.Status(StatusCode.Internal, failure.Message, failure);
        }
    }

    internal static V1.ItemError ItemOf(Exception failure, ILogger logger)
    {
        var status = StatusOf(failure, logger);
        return new V1.ItemError { Code = (int)status.StatusCode, Message = status.Detail };
    }

    /// <summary>Makes statuses of whatever a call throws.</summary>
    internal static async Task<T> GuardAsync<T>(this ILogger logger, Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (RpcException)
        {
            throw;
        }
        catch (Exception e)
        {
            throw new RpcException(StatusOf(e, logger));
        }
    }

    /// <summary>Makes statuses of whatever a call throws.</summary>
    internal static Task GuardAsync(this ILogger logger, Func<Task> call) => logger.GuardAsync(async () =>
    {
        await call();
        return true;
    });

    /// <summary>
    /// Runs an endless stream until the caller goes or the service stops; then the caller gets UNAVAILABLE and comes again. Without
    /// it a stop would wait for streams that never end.
    /// </summary>
    internal static async Task UntilStopAsync(this IHostApplicationLifetime lifetime, ServerCallContext context, Func<CancellationToken, Task> stream)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        try
        {
            await stream(ending.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or RpcException or InvalidOperationException && lifetime.ApplicationStopping.IsCancellationRequested)
        {
            throw new ClusterException(ClusterErrorKind.Unavailable, "the service stops", e);
        }
    }
}
