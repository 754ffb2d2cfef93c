using System.Diagnostics.Metrics;
using Cluster.Hosting;
using Cluster.Model.Configuration;
using Cluster.Monitor.Running;
using Cluster.Monitor.Serving;
using Libp2p;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ConnectorClient = Cluster.Contracts.V1.Connector.ConnectorClient;
using TrackerClient = Cluster.Contracts.V1.Tracker.TrackerClient;

namespace Cluster.Monitor;

/// <summary>Puts the monitor together.</summary>
internal static class MonitorParts
{
    /// <summary>Adds the parts to a service.</summary>
    public static async Task AddAsync(ServiceBuilder service)
    {
        var settings = MonitorSettings.From(service.Configuration, await ReadPeerAsync(service.Context));
        var logger = service.Logger(MonitorLog.Facility);
        service.AnnounceStop(MonitorLog.Facility, "stopping Monitor");
        var connector = new ConnectorClient(service.Context.Channels.For(ServiceName.Connector));
        var tracker = new TrackerClient(service.Context.Channels.For(ServiceName.Tracker));
        service.Services.AddSingleton(_ => new Meter("cluster-monitor"));
        service.Services.AddSingleton<MetricHub>();
        service.Services.AddSingleton(parts => new MonitorRunner(
            settings,
            parts.GetRequiredService<MetricHub>(),
            new DaemonWatch(connector, parts.GetRequiredService<TimeProvider>(), logger),
            new PeerQuestions(connector, tracker, service.Logger(MonitorLog.DiskFacility)),
            parts.GetRequiredService<Meter>(),
            parts.GetRequiredService<TimeProvider>(),
            logger));
        service.Services.AddHostedService(parts => parts.GetRequiredService<MonitorRunner>());
        service.MapGrpc<MonitorService>();
        service.Services.AddSingleton(parts => new MonitorService(
            parts.GetRequiredService<MetricHub>(),
            parts.GetRequiredService<MonitorRunner>(),
            parts.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping));
    }

    /// <summary>The peer's id. Only that is kept: the key is the consensus service's.</summary>
    private static async Task<PeerId> ReadPeerAsync(ServiceContext context)
    {
        var path = Path.Combine(context.Folder, "identity.json");
        try
        {
            return ClusterIdentity.Load(await File.ReadAllTextAsync(path), path, context.Options.Environment).Id;
        }
        catch (Exception failure) when (failure is ConfigurationException or IOException or UnauthorizedAccessException)
        {
            throw new ServiceStartException("loading configurations", $"{failure.Message}: is this a folder that \"ipfs-cluster-service init\" made?", failure);
        }
    }
}
