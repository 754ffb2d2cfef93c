using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Cluster.Hosting.Clients;

/// <summary>Gives unary calls without a deadline one, so that none waits for ever. Streams live as long as their caller wants.</summary>
internal sealed class DeadlineInterceptor(TimeProvider clock) : Interceptor
{
    /// <summary>Longer than any unary call between the services takes; resolving a name is the longest, at the daemon's 5 minutes.</summary>
    public static readonly TimeSpan Default = TimeSpan.FromMinutes(6);

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
    {
        if (context.Options.Deadline is null)
            context = new(context.Method, context.Host, context.Options.WithDeadline(clock.GetUtcNow().UtcDateTime + Default));
        return continuation(request, context);
    }
}
