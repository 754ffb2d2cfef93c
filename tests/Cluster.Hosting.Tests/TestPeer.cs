using System.Net;
using System.Net.Sockets;
using Cluster.Hosting.Clients;
using Cluster.Hosting.Health;
using Cluster.Hosting.Logging;
using Cluster.Model.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Cluster.Hosting.Tests;

/// <summary>A configuration folder, and services that run within this process.</summary>
internal sealed class TestPeer : IAsyncDisposable
{
    private static readonly byte[] secret = [.. Enumerable.Range(1, 32).Select(static i => (byte)i)];
    private readonly Dictionary<string, string> environment;
    private readonly LogOutput log;
    private readonly List<WebApplication> applications = [];
    private static int addresses;

    public TestPeer(Dictionary<string, string>? environment = null, bool withSecret = true)
    {
        this.environment = environment ?? [];
        Folder = Directory.CreateTempSubdirectory("hosting-").FullName;
        log = new LogOutput([LogText], LogFormat.Plain, [], TimeProvider.System);
        var configuration = ConfigurationTemplate.Defaults("crdt", "pebble", withSecret ? secret : ReadOnlyMemory<byte>.Empty, new ConfigurationSurroundings { Folder = Folder });
        File.WriteAllText(Path.Combine(Folder, "service.json"), configuration.ToJson());
        Endpoints = new ServiceEndpoints(Folder, name => this.environment.GetValueOrDefault(name));
        Channels = new ServiceChannels(Endpoints, withSecret ? ServiceToken.FromSecret(secret) : null, clock: new EndlessPatience());
    }

    public string Folder { get; }

    public MemoryStream LogText { get; } = new();

    public ServiceEndpoints Endpoints { get; }

    public ServiceChannels Channels { get; }

    /// <summary>
    /// A port that is free, and stays so until a service listens there: of an address of loopback that nobody else asks for ports of, as
    /// connections that are being made take those of 127.0.0.1.
    /// </summary>
    public static IPEndPoint FreeEndPoint()
    {
        var process = Environment.ProcessId;
        using var listener = new TcpListener(new IPAddress([127, (byte)(1 + (process >> 8) % 254), (byte)process, (byte)(1 + Interlocked.Increment(ref addresses) % 254)]), 0);
        listener.Start();
        return (IPEndPoint)listener.LocalEndpoint;
    }

    public async Task<WebApplication> StartAsync(ServiceName service, Action<ServiceBuilder>? configure = null)
    {
        environment["IPFS_CLUSTER_PATH"] = Folder;
        var options = ServiceOptions.Read(service, [], environment);
        var application = await ServiceHost.BuildAsync(
            options,
            log,
            builder =>
            {
                configure?.Invoke(builder);
                return Task.CompletedTask;
            },
            CancellationToken.None);
        applications.Add(application);
        await application.StartAsync();
        application.Services.GetRequiredService<ServiceHealth>().SetListening();
        return application;
    }

    public async ValueTask DisposeAsync()
    {
        Channels.Dispose();
        foreach (var application in applications)
            await application.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }

    /// <summary>Time that does not run out for those who measure it: a busy machine takes as long as it takes to start a service.</summary>
    private sealed class EndlessPatience : TimeProvider
    {
        public override long GetTimestamp() => 0;
    }
}
