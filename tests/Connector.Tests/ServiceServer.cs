using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Tests;

/// <summary>One gRPC service on a free port of loopback, and a channel to it.</summary>
internal sealed class ServiceServer : IAsyncDisposable
{
    private readonly WebApplication _application;

    private ServiceServer(WebApplication application)
    {
        _application = application;
        Channel = GrpcChannel.ForAddress(application.Urls.Single());
    }

    public GrpcChannel Channel { get; }

    public static async Task<ServiceServer> StartAsync<TService>(TService service)
        where TService : class
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0").ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(end => end.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(service);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromMilliseconds(100));
        var application = builder.Build();
        application.MapGrpcService<TService>();
        await application.StartAsync();
        return new ServiceServer(application);
    }

    public async ValueTask DisposeAsync()
    {
        Channel.Dispose();
        await _application.StopAsync();
        await _application.DisposeAsync();
    }
}
