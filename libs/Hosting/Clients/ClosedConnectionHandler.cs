using System.Net.Http;
using System.Net.Sockets;

namespace Cluster.Hosting.Clients;

/// <summary>
/// A request that goes out while the other process restarts: the connection breaks beneath it, or is closed in order (GOAWAY with NO_ERROR,
/// which would pass for a fault inside). A unary call is sent again, over a new connection; other calls fail with UNAVAILABLE, as their
/// callers expect of a restart. Calls between the services may be repeated, all of them say what is to be, not what is to be added.
/// </summary>
internal sealed class ClosedConnectionHandler(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    private const long NoError = 0;

    /// <summary>A process that ends may still take a connection or two that it then breaks.</summary>
    private const int Attempts = 4;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await base.SendAsync(request, cancellationToken);
            }
            catch (HttpRequestException e) when (attempt < Attempts && (IsOrderlyClose(e) || IsBroken(e)) && CanBeSentAgain(request))
            {
                // Over another connection: the next attempt waits until the service listens again.
            }
            catch (SocketException) when (attempt < Attempts && CanBeSentAgain(request))
            {
                // Connected, and closed before the pool had looked whom to: it does not wrap what it hears then.
            }
            catch (HttpRequestException e) when (IsOrderlyClose(e))
            {
                // A cause that gRPC takes for UNAVAILABLE.
                throw new HttpRequestException(e.Message, new SocketException((int)SocketError.ConnectionReset));
            }
        }
    }

    private static bool IsOrderlyClose(HttpRequestException e) => e.InnerException is HttpProtocolException { ErrorCode: NoError };

    /// <summary>Broken after it was made: who could not connect at all has waited long enough.</summary>
    private static bool IsBroken(HttpRequestException e) =>
        e.HttpRequestError != HttpRequestError.ConnectionError && e.InnerException is IOException and not HttpProtocolException;

    /// <summary>The one message of a unary call is written anew each time; what a stream has written is gone.</summary>
    private static bool CanBeSentAgain(HttpRequestMessage request) =>
        request.Content?.GetType().Name.StartsWith("PushUnaryContent", StringComparison.Ordinal) == true;
}
