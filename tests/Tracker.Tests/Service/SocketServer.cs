using System.Net.Sockets;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Tracker.Tests.Service;

/// <summary>A gRPC server on a Unix socket that can be stopped and started again.</summary>
internal sealed class SocketServer(string path, Action<IServiceCollection> services, Action<WebApplication> map) : IAsyncDisposable
{
    private WebApplication? _application;

    public async Task StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.ListenUnixSocket(path, l => l.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromMilliseconds(50));
        services(builder.Services);
        _application = builder.Build();
        map(_application);
        await _application.StartAsync();
    }

    /// <summary>Ends the server and cuts its streams.</summary>
    public async Task StopAsync()
    {
        if (_application is null)
            return;
        using var now = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
        await _application.StopAsync(now.Token);
        await _application.DisposeAsync();
        _application = null;
    }

    public static GrpcChannel Dial(string path) => GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
    {
        HttpHandler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellation) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        },
        DisposeHttpClient = true,
    });

    public async ValueTask DisposeAsync() => await StopAsync();
}
