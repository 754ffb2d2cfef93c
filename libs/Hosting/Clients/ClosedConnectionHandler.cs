using System.Net.Http;
using System.Net.Sockets;

namespace Cluster.Hosting.Clients;

/// <summary>
/// A request that goes out while the other process closes the connection in order (GOAWAY with NO_ERROR) fails as if something were wrong
/// inside. It is a restart: a unary call is sent once more, over a new connection; other calls fail with UNAVAILABLE, as their callers
/// expect of a restart. Calls between the services may be repeated, all of them say what is to be, not what is to be added.
/// </summary>
internal sealed class ClosedConnectionHandler(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    private const long NoError = 0;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return await base.SendAsync(request, cancellationToken);
        }
        catch (HttpRequestException e) when (IsOrderlyClose(e) && CanBeSentAgain(request))
        {
            return await base.SendAsync(request, cancellationToken);
        }
        catch (HttpRequestException e) when (IsOrderlyClose(e))
        {
            // A cause that gRPC takes for UNAVAILABLE.
            throw new HttpRequestException(e.Message, new SocketException((int)SocketError.ConnectionReset));
        }
    }

    private static bool IsOrderlyClose(HttpRequestException e) => e.InnerException is HttpProtocolException { ErrorCode: NoError };

    /// <summary>The one message of a unary call is written anew each time; what a stream has written is gone.</summary>
    private static bool CanBeSentAgain(HttpRequestMessage request) =>
        request.Content?.GetType().Name.StartsWith("PushUnaryContent", StringComparison.Ordinal) == true;
}
