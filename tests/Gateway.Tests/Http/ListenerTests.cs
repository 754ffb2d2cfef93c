using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cluster.Gateway.Http;

namespace Gateway.Tests.Http;

public sealed class ListenerTests
{
    [Fact]
    public async Task With_a_certificate_only_TLS_from_1_2_on_is_spoken_and_only_HTTP_1_1()
    {
        await using TestFace face = await TestFace.StartAsync(o => o with { Certificates = [SelfSigned()] });
        using var socket = new TcpClient();
        await socket.ConnectAsync(face.Endpoint);
        await using var tls = new SslStream(socket.GetStream(), false, (_, certificate, _, _) => certificate is not null);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
        });
        Assert.NotEqual(SslApplicationProtocol.Http2, tls.NegotiatedApplicationProtocol);
        Assert.True(tls.SslProtocol is SslProtocols.Tls12 or SslProtocols.Tls13);
        await tls.WriteAsync("GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"u8.ToArray());
        using var reader = new StreamReader(tls);
        Assert.Contains("{\"version\":\"1.1.6\"}", await reader.ReadToEndAsync());
    }

    [Fact]
    public async Task A_port_in_use_is_named_as_the_original_names_it()
    {
        await using TestFace face = await TestFace.StartAsync();
        var error = await Assert.ThrowsAsync<IOException>(() => TestFace.StartAsync(o => o with { Endpoints = [face.Endpoint] }));
        Assert.Equal($"listen tcp4 {face.Endpoint}: bind: address already in use", error.Message);
    }

    [Fact]
    public async Task Idle_connections_are_cut()
    {
        // Long enough for a request that follows the connection at once.
        await using TestFace face = await TestFace.StartAsync(o => o with { IdleTimeout = TimeSpan.FromSeconds(3) });
        using var idle = new RawHttp(face.Endpoint);
        idle.Exchange("GET /version HTTP/1.1\r\nHost: x\r\n\r\n");
        Assert.True(idle.IsClosed());
    }

    [Fact]
    public async Task Slow_heads_are_cut()
    {
        await using TestFace face = await TestFace.StartAsync(o => o with { ReadHeaderTimeout = TimeSpan.FromSeconds(1) });
        using var slow = new RawHttp(face.Endpoint);
        slow.Send("GET /version HT");
        Assert.Equal(408, slow.Read().Status);
    }

    [Fact]
    public async Task A_write_timeout_cuts_answers_that_take_longer()
    {
        var time = new Cluster.Tests.ManualTime();
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var forever = new Route("GET", "/forever", async x =>
        {
            begun.SetResult();
            await Task.Delay(Timeout.Infinite, x.Aborted);
        });
        await using TestFace face = await TestFace.StartAsync(time, o => o with { WriteTimeout = TimeSpan.FromSeconds(2) }, null, forever);
        using var client = new RawHttp(face.Endpoint);
        client.Send("GET /forever HTTP/1.1\r\nHost: x\r\n\r\n");
        await begun.Task.WaitAsync(TimeSpan.FromSeconds(60));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(200, face.Get("/version").Status);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(client.IsClosed());
        Assert.Equal(200, face.Get("/version").Status);
    }

    [Theory]
    [InlineData("/ip4/127.0.0.1/tcp/9094", "127.0.0.1:9094")]
    [InlineData("/ip6/::1/tcp/9094", "[::1]:9094")]
    [InlineData("/dns4/localhost/tcp/9094", "127.0.0.1:9094")]
    [InlineData("/unix/run/api.sock", "/run/api.sock")]
    public async Task Listen_addresses_become_endpoints(string address, string endpoint) =>
        Assert.Equal(endpoint, (await FaceConfiguration.EndpointsOfAsync(address, CancellationToken.None))[0].ToString());

    [Theory]
    [InlineData("/ip4/127.0.0.1/udp/9094/quic")]
    [InlineData("/dns4/no.such.name.invalid/tcp/9094")]
    [InlineData("/ip4/127.0.0.1")]
    public async Task Other_addresses_are_refused(string address) =>
        await Assert.ThrowsAsync<IOException>(() => FaceConfiguration.EndpointsOfAsync(address, CancellationToken.None));

    private static X509Certificate2 SelfSigned()
    {
        using RSA key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }
}
