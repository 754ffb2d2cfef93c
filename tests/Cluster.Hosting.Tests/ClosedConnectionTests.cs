using System.Net;
using System.Net.Sockets;
using Cluster.Hosting.Clients;

namespace Cluster.Hosting.Tests;

public class ClosedConnectionTests
{
    [Fact]
    public async Task A_unary_call_on_a_connection_that_is_just_closed_is_sent_again()
    {
        using var closing = new ClosingOnce(new HttpProtocolException(0, "closed", null));
        using var invoker = new HttpMessageInvoker(new ClosedConnectionHandler(closing));
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://localhost/") { Content = new PushUnaryContentOfTest() };
        using var response = await invoker.SendAsync(request, CancellationToken.None);
        Assert.Equal((HttpStatusCode.OK, 2), (response.StatusCode, closing.Requests));
    }

    [Fact]
    public async Task A_unary_call_on_a_connection_that_breaks_is_sent_again()
    {
        using var breaking = new ClosingOnce(new IOException("broken pipe"));
        using var invoker = new HttpMessageInvoker(new ClosedConnectionHandler(breaking));
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://localhost/") { Content = new PushUnaryContentOfTest() };
        using var response = await invoker.SendAsync(request, CancellationToken.None);
        Assert.Equal((HttpStatusCode.OK, 2), (response.StatusCode, breaking.Requests));
    }

    [Fact]
    public async Task A_unary_call_on_a_connection_that_breaks_as_soon_as_it_is_made_is_sent_again()
    {
        using var breaking = new ClosingOnce(new SocketException((int)SocketError.NotConnected));
        using var invoker = new HttpMessageInvoker(new ClosedConnectionHandler(breaking));
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://localhost/") { Content = new PushUnaryContentOfTest() };
        using var response = await invoker.SendAsync(request, CancellationToken.None);
        Assert.Equal((HttpStatusCode.OK, 2), (response.StatusCode, breaking.Requests));
    }

    [Fact]
    public async Task Another_call_fails_as_an_unreachable_service_does()
    {
        using var closing = new ClosingOnce(new HttpProtocolException(0, "closed", null));
        using var invoker = new HttpMessageInvoker(new ClosedConnectionHandler(closing));
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://localhost/") { Content = new ByteArrayContent([1]) };
        var error = await Assert.ThrowsAsync<HttpRequestException>(() => invoker.SendAsync(request, CancellationToken.None));
        Assert.Equal(1, closing.Requests);
        Assert.Equal(SocketError.ConnectionReset, Assert.IsType<SocketException>(error.InnerException).SocketErrorCode);
    }

    [Fact]
    public async Task A_protocol_fault_stays_what_it_is()
    {
        using var closing = new ClosingOnce(new HttpProtocolException(2, "a fault", null));
        using var invoker = new HttpMessageInvoker(new ClosedConnectionHandler(closing));
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://localhost/") { Content = new PushUnaryContentOfTest() };
        var error = await Assert.ThrowsAsync<HttpRequestException>(() => invoker.SendAsync(request, CancellationToken.None));
        Assert.IsType<HttpProtocolException>(error.InnerException);
        Assert.Equal(1, closing.Requests);
    }

    /// <summary>Answers from the second request on. What the pool hears of a connection that is just made it does not wrap.</summary>
    private sealed class ClosingOnce(Exception cause) : HttpMessageHandler
    {
        public int Requests { get; private set; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => ++Requests == 1
            ? throw (cause is SocketException ? cause : new HttpRequestException(HttpRequestError.Unknown, cause.Message, cause))
            : Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK));
    }

    /// <summary>Named as the content that the gRPC client sends for unary calls.</summary>
    private sealed class PushUnaryContentOfTest : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => Task.CompletedTask;

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
