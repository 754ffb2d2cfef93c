using Cluster.Hosting.Clients;
using Cluster.Hosting.Health;
using Cluster.Hosting.Telemetry;
using Cluster.Model.Configuration;
using Microsoft.Extensions.Logging;

namespace Cluster.Hosting;

/// <summary>What every part of a service may need: its name and folder, the other services, its logs and its health.</summary>
public sealed class ServiceContext
{
    internal ServiceContext(
        ServiceOptions options,
        ClusterConfiguration configuration,
        ServiceEndpoints endpoints,
        ServiceChannels channels,
        ServiceHealth health,
        MetricsCollector metrics,
        ILoggerFactory loggers)
    {
        Options = options;
        Configuration = configuration;
        Endpoints = endpoints;
        Channels = channels;
        Health = health;
        Metrics = metrics;
        Loggers = loggers;
    }

    /// <summary>What the service was told at its start.</summary>
    public ServiceOptions Options { get; }

    /// <summary>The configuration folder, absolute.</summary>
    public string Folder => Options.Folder;

    /// <summary>The loaded configuration with the environment in it.</summary>
    public ClusterConfiguration Configuration { get; }

    /// <summary>Where the services are.</summary>
    public ServiceEndpoints Endpoints { get; }

    /// <summary>Channels to the other services.</summary>
    public ServiceChannels Channels { get; }

    /// <summary>What this process says of its health.</summary>
    public ServiceHealth Health { get; }

    /// <summary>The metrics of this process.</summary>
    public MetricsCollector Metrics { get; }

    /// <summary>Makes loggers; a category is a facility.</summary>
    public ILoggerFactory Loggers { get; }

    /// <summary>The exit code that the process ends with when it stops in order; see <see cref="PeerLeftExitCode"/>.</summary>
    public int ExitCode { get; set; }

    /// <summary>
    /// The exit code of a service that ended because the peer is to end, as when it was removed from its cluster: the supervisor then
    /// stops all services and ends with 0. Set <see cref="ExitCode"/> to it and stop the application.
    /// </summary>
    public const int PeerLeftExitCode = 79;

    /// <summary>A logger of a facility.</summary>
    public ILogger Logger(string facility) => Loggers.CreateLogger(facility);
}
