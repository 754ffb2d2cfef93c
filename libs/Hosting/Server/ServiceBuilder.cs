using System.Net;
using Cluster.Hosting.Health;
using Cluster.Hosting.Reflection;
using Cluster.Hosting.Telemetry;
using Cluster.Model.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Hosting;

/// <summary>What a service's <c>Program.cs</c> says of it: its parts and the gRPC services it offers.</summary>
public sealed class ServiceBuilder
{
    private readonly List<Action<WebApplication>> mappings = [];
    private readonly List<(string Facility, string Text)> announcements = [];
    private readonly DescriptorCatalog catalog;

    internal ServiceBuilder(ServiceContext context, IServiceCollection services, DescriptorCatalog catalog)
    {
        Context = context;
        Services = services;
        this.catalog = catalog;
    }

    /// <summary>Name, folder, channels, logs.</summary>
    public ServiceContext Context { get; }

    /// <summary>The parts. <see cref="IHostedService"/>s start before the endpoint listens and stop after it closed.</summary>
    public IServiceCollection Services { get; }

    /// <summary>A logger of a facility.</summary>
    public ILogger Logger(string facility) => Context.Logger(facility);

    /// <summary>Has a line logged when the service begins to stop, as operators know it of the component.</summary>
    public void AnnounceStop(string facility, string text) => announcements.Add((facility, text));

    /// <summary>Offers a gRPC service, with health and reflection. One object serves all calls.</summary>
    public void MapGrpc<TService>()
        where TService : class
    {
        Context.Health.Add(catalog.Add(typeof(TService)));
        Services.AddSingleton<TService>();
        mappings.Add(static application => application.MapGrpcService<TService>());
    }

    /// <summary>The loaded configuration.</summary>
    public ClusterConfiguration Configuration => Context.Configuration;

    /// <summary>Serves the metrics of all services on a port, for the one process that does.</summary>
    internal void ServeMetrics(IPEndPoint address) => Services.AddSingleton<IHostedService>(provider => new MetricsEndpoint(
        address, Context.Options.Service, Context.Metrics, Context.Channels, provider.GetRequiredService<ILoggerFactory>()));

    internal void Map(WebApplication application)
    {
        foreach (var map in mappings)
            map(application);
        foreach (var (facility, text) in announcements)
            application.Lifetime.ApplicationStopping.Register(() => HostLog.Stopping(Logger(facility), text));
    }
}
