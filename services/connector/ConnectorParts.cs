using System.Diagnostics.Metrics;
using Cluster.Connector.Running;
using Cluster.Connector.Serving;
using Cluster.Hosting;
using KuboRpc;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ClusterClient = Cluster.Contracts.V1.Cluster.ClusterClient;
using MonitorClient = Cluster.Contracts.V1.Monitor.MonitorClient;

namespace Cluster.Connector;

/// <summary>Puts the connector together.</summary>
internal static class ConnectorParts
{
    /// <summary>Adds the parts to a service.</summary>
    public static void Add(ServiceBuilder service)
    {
        var section = service.Configuration.IpfsHttp;
        var options = Options(section);
        var logger = service.Logger(ConnectorLog.Facility);
        var channels = service.Context.Channels;
        service.AnnounceStop(ConnectorLog.Facility, "stopping IPFS Connector");
        service.Services.AddSingleton(_ => new Meter("cluster-connector"));
        service.Services.AddSingleton(parts => new ConnectorObserver(parts.GetRequiredService<Meter>(), section.InformerTriggerInterval, logger));
        service.Services.AddSingleton(parts => new KuboClient(options, parts.GetRequiredService<ConnectorObserver>(), parts.GetRequiredService<TimeProvider>()));
        service.Services.AddSingleton(parts => new DaemonHealthWatch(
            parts.GetRequiredService<KuboClient>(), parts.GetRequiredService<TimeProvider>(), logger));
        service.Services.AddHostedService(parts => new ConnectorRunner(
            parts.GetRequiredService<KuboClient>(),
            parts.GetRequiredService<DaemonHealthWatch>(),
            new SwarmConnector(
                section.ConnectSwarmsDelay.ToTimeSpan(),
                options.RequestTimeout,
                new ClusterClient(channels.For(ServiceName.Consensus)),
                parts.GetRequiredService<KuboClient>(),
                parts.GetRequiredService<TimeProvider>(),
                logger),
            new InformerTrigger(parts.GetRequiredService<ConnectorObserver>(), new MonitorClient(channels.For(ServiceName.Monitor)), logger),
            logger));
        service.MapGrpc<ConnectorService>();
        service.Services.AddSingleton(parts => new ConnectorService(
            parts.GetRequiredService<KuboClient>(),
            parts.GetRequiredService<DaemonHealthWatch>(),
            parts.GetRequiredService<ConnectorObserver>(),
            parts.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping));
    }

    private static KuboOptions Options(Model.Configuration.IpfsHttpSection section)
    {
        try
        {
            return section.Options();
        }
        catch (FormatException failure)
        {
            throw new ServiceStartException("creating IPFS Connector component", $"ipfs_connector.ipfshttp.node_multiaddress: {failure.Message}", failure);
        }
    }
}
