using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.Logging;

namespace Cluster.Hosting.Server;

/// <summary>
/// Turns what escapes a handler into a status: an <see cref="RpcException"/> passes, a cancellation of the call is CANCELLED, anything
/// else is a fault of ours, logged with its trace and answered as INTERNAL with its message.
/// </summary>
internal sealed class FailureInterceptor(ILogger<FailureInterceptor> logger) : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            return await continuation(request, context);
        }
        catch (Exception error)
        {
            throw Status(error, context);
        }
    }

    public override async Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            return await continuation(requestStream, context);
        }
        catch (Exception error)
        {
            throw Status(error, context);
        }
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            await continuation(request, responseStream, context);
        }
        catch (Exception error)
        {
            throw Status(error, context);
        }
    }

    public override async Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            await continuation(requestStream, responseStream, context);
        }
        catch (Exception error)
        {
            throw Status(error, context);
        }
    }

    private RpcException Status(Exception error, ServerCallContext context)
    {
        switch (error)
        {
            case RpcException rpc:
                FailureLog.Refused(logger, context.Method, rpc.Status.Detail);
                return rpc;
            case OperationCanceledException or IOException when context.CancellationToken.IsCancellationRequested:
                return new RpcException(Grpc.Core.Status.DefaultCancelled);
            default:
                FailureLog.Failed(logger, error, context.Method);
                return new RpcException(new Status(StatusCode.Internal, error.Message));
        }
    }
}

internal static partial class FailureLog
{
    [LoggerMessage(EventId = 9201, Level = LogLevel.Debug, Message = "{Method} refused: {Detail}")]
    public static partial void Refused(ILogger logger, string method, string detail);

    [LoggerMessage(EventId = 9202, Level = LogLevel.Error, Message = "{Method} failed")]
    public static partial void Failed(ILogger logger, Exception exception, string method);
}
