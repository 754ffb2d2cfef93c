using Cluster.Consensus.Alerts;
using Cluster.Consensus.Clients;
using Cluster.Consensus.CrdtReplication;
using Cluster.Consensus.Lifecycle;
using Cluster.Consensus.Members;
using Cluster.Consensus.Metrics;
using Cluster.Consensus.Peering;
using Cluster.Consensus.Pinning;
using Cluster.Consensus.Replication;
using Cluster.Consensus.Rpc;
using Cluster.Consensus.Services;
using Cluster.Consensus.Status;
using Cluster.Hosting;
using Cluster.Model.Configuration;
using Cluster.PinState;
using Cluster.Storage;
using Libp2p;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Consensus;

/// <summary>Puts the service together.</summary>
internal static class Composition
{
    internal static void Configure(ServiceBuilder service)
    {
        var configuration = service.Configuration;
        CheckComponents(configuration);
        var identity = IdentityFile.Load(service.Context.Options);
        var settings = SettingsOf(configuration);
        var database = OpenDatabase(service.Context.Folder);
        var logger = service.Logger("cluster");
        var replication = service.Logger(configuration.Consensus);
        var metrics = new MetricSnapshot(TimeProvider.System);
        var peering = PeeringSettings.From(configuration, identity, service.Context.Options);
        var network = new ClusterNetwork(peering, TimeProvider.System, service.Context.Loggers);
        var consensus = CreateConsensus(configuration, identity.Id, PinStore.Open(database), metrics, network, replication);

        service.AnnounceStop(configuration.Consensus, "stopping Consensus component");
        var parts = service.Services;
        parts.AddSingleton(settings);
        parts.AddSingleton(consensus);
        parts.AddSingleton(consensus.State);
        parts.AddSingleton(network);
        parts.AddSingleton(p => new ClusterPeering(
            network, peering, consensus, p.GetRequiredService<IRemotePeers>(), p.GetRequiredService<ITracker>(), p.GetRequiredService<MetricSnapshot>(),
            token => p.GetRequiredService<DaemonSwarm>().ConnectAsync(token), p.GetRequiredService<TimeProvider>(), service.Context.Loggers));
        parts.AddSingleton(p => new DaemonSwarm(
            identity.Id, service.Context.Channels.For(ServiceName.Connector), p.GetRequiredService<Membership>(), logger));
        parts.AddSingleton(network.Host);
        parts.AddSingleton<IRemotePeers>(p => new RemotePeers(network.Host, p.GetRequiredService<TimeProvider>()));
        parts.AddSingleton<ITracker>(new TrackerClient(service.Context.Channels.For(ServiceName.Tracker)));
        parts.AddSingleton<IDaemon>(new ConnectorClient(service.Context.Channels.For(ServiceName.Connector)));
        parts.AddSingleton<IClusterDagReader, DaemonDagReader>();
        parts.AddSingleton(metrics);
        parts.AddSingleton<AlertList>();
        parts.AddSingleton<Readiness>();
        parts.AddSingleton(p => new Departure(identity.Id, consensus, settings, p.GetRequiredService<Readiness>(), logger));
        parts.AddSingleton(p => new SelfPeer(
            identity.Id, settings.PeerName, () => network.Addresses, consensus,
            p.GetRequiredService<IRemotePeers>(), p.GetRequiredService<IDaemon>()));
        parts.AddSingleton<IPinAllocator>(p => new MetricAllocator(
            p.GetRequiredService<MetricSnapshot>(), consensus, settings, p.GetRequiredService<TimeProvider>(), Random.Shared, logger));
        parts.AddSingleton(p => new PinPlanner(
            consensus.State, p.GetRequiredService<IPinAllocator>(), settings, p.GetRequiredService<TimeProvider>(), logger));
        parts.AddSingleton(p => new UnpinPlanner(
            consensus.State, p.GetRequiredService<IClusterDagReader>(), p.GetRequiredService<PinPlanner>(), logger));
        parts.AddSingleton<PinOperations>();
        parts.AddSingleton<StatusReports>();
        parts.AddSingleton<GlobalStatus>();
        parts.AddSingleton<StatusListing>();
        parts.AddSingleton(new Responsibility(identity.Id, consensus));
        parts.AddSingleton(p => new Evacuation(
            identity.Id, consensus, p.GetRequiredService<PinPlanner>(), p.GetRequiredService<Responsibility>(), settings, logger));
        parts.AddSingleton<Membership>();
        parts.AddSingleton(p => new AlertHandler(p.GetRequiredService<AlertList>(), p.GetRequiredService<Evacuation>(), settings, logger));
        parts.AddSingleton<ClusterParts>();
        parts.AddSingleton<RpcParts>();

        // Started in this order and stopped in the reverse one: the state is the last to go.
        parts.AddHostedService(p => new StateOwner(
            consensus, database, p.GetRequiredService<ClusterPeering>(), p.GetRequiredService<Departure>(), logger, service.Context.Options.Supervised));
        parts.AddHostedService<RpcStart>();
        parts.AddHostedService(p => new PeeringStart(p.GetRequiredService<ClusterPeering>(), p.GetRequiredService<Readiness>()));
        parts.AddHostedService(p => new IdleFlush(consensus.State, p.GetRequiredService<TimeProvider>(), logger));
        parts.AddHostedService(p => new MonitorBridge(
            service.Context.Channels.For(ServiceName.Monitor), p.GetRequiredService<ClusterPeering>().Metrics,
            p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILoggerFactory>()));
        parts.AddHostedService(p => new MonitorFollower(
            service.Context.Channels.For(ServiceName.Monitor), p.GetRequiredService<MetricSnapshot>(), p.GetRequiredService<AlertHandler>(),
            p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILoggerFactory>()));
        parts.AddHostedService(p => new PeerWatch(
            identity.Id, consensus, p.GetRequiredService<Departure>(), configuration.Cluster.PeerWatchInterval.ToTimeSpan(),
            p.GetRequiredService<Readiness>(), service.Context, p.GetRequiredService<IHostApplicationLifetime>(), p.GetRequiredService<TimeProvider>(), logger));
        parts.AddHostedService(p => new StateSync(
            consensus, p.GetRequiredService<UnpinPlanner>(), p.GetRequiredService<Responsibility>(),
            new GoneHolders(consensus, p.GetRequiredService<Evacuation>(), settings), p.GetRequiredService<Readiness>(), settings,
            p.GetRequiredService<TimeProvider>(), logger));
        parts.AddHostedService(p => new Startup(
            consensus, p.GetRequiredService<IDaemon>(), p.GetRequiredService<SelfPeer>(), p.GetRequiredService<Readiness>(),
            p.GetRequiredService<TimeProvider>(), logger, service.Context.Options.Supervised));

        service.MapGrpc<ClusterService>();
        service.MapGrpc<StateService>();
        service.MapGrpc<PeerNetworkService>();
    }

    private static IConsensus CreateConsensus(
        ClusterConfiguration configuration, PeerId self, PinStore state, MetricSnapshot metrics, ClusterNetwork network, ILogger logger)
    {
        if (configuration.Consensus != "crdt")
            return new SinglePeerConsensus(self, state, ReplicationLog.Committed(logger));
        ReplicationLog.Started(logger, configuration.Crdt);
        var consensus = new CrdtConsensus(
            self, state, CrdtSettings.From(configuration.Crdt), metrics, TimeProvider.System, Random.Shared, logger);
        network.Attach(consensus);
        consensus.Start(network);
        return consensus;
    }

    /// <summary>What the original refuses to start with (spec/config.md 2.1).</summary>
    private static void CheckComponents(ClusterConfiguration configuration)
    {
        if (configuration.Consensus.Length == 0)
            throw new ServiceStartException("creating state manager", "could not determine the consensus component");
        if (configuration.Consensus == "crdt" && configuration.Datastore.Length == 0)
            throw new ServiceStartException("creating datastore", "unknown datastore");
        if (!configuration.RunsDiskInformer && !configuration.RunsPinQueueInformer && !configuration.RunsTagsInformer)
            throw new ServiceStartException("starting cluster", "no informers are passed");
    }

    private static ClusterSettings SettingsOf(ClusterConfiguration configuration)
    {
        var cluster = configuration.Cluster;
        return new ClusterSettings
        {
            PeerName = cluster.PeerName,
            DefaultReplication = cluster.Replication,
            FollowerMode = cluster.FollowerMode,
            DisableRepinning = cluster.DisableRepinning,
            LeaveOnShutdown = cluster.LeaveOnShutdown,
            PinOnlyOnTrustedPeers = cluster.PinOnlyOnTrustedPeers,
            PinOnlyOnUntrustedPeers = cluster.PinOnlyOnUntrustedPeers,
            StateSyncInterval = cluster.StateSyncInterval.ToTimeSpan(),
            AllocateBy = configuration.AllocateBy,
        };
    }

    private static Database OpenDatabase(string folder)
    {
        try
        {
            return Database.Open(PinStore.FolderIn(folder), new DatabaseOptions { Format = PinStore.Format });
        }
        catch (StorageException e)
        {
            throw new ServiceStartException("creating datastore", e.Message, e);
        }
    }
}
