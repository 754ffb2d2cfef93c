using System.Diagnostics.Metrics;
using Cluster.Connector.Running;
using Cluster.Connector.Serving;
using Cluster.Tests;
using FakeDaemon;
using KuboRpc;
using Microsoft.Extensions.Logging.Abstractions;
using Contract = Cluster.Contracts.V1.Connector;

namespace Cluster.Connector.Tests;

/// <summary>The connector's service between a gRPC client and a daemon.</summary>
internal sealed class House : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping;
    private readonly Meter _meter;
    private readonly KuboClient _kubo;
    private readonly ServiceServer _server;
    private readonly Task _running;

    private House(KuboClient kubo, ConnectorObserver observer, DaemonHealthWatch health, ServiceServer server, CancellationTokenSource stopping, Meter meter)
    {
        _kubo = kubo;
        _stopping = stopping;
        _meter = meter;
        _server = server;
        Observer = observer;
        Health = health;
        Client = new Contract.ConnectorClient(server.Channel);
        _running = health.RunAsync(stopping.Token);
    }

    public Contract.ConnectorClient Client { get; }

    public ConnectorObserver Observer { get; }

    public DaemonHealthWatch Health { get; }

    public static Task<House> StartAsync(Daemon daemon) => StartAsync(DaemonAddress.Tcp("127.0.0.1", daemon.Port));

    public static async Task<House> StartAsync(DaemonAddress address, int triggerInterval = 0)
    {
        var stopping = new CancellationTokenSource();
        var meter = new Meter("connector tests");
        var observer = new ConnectorObserver(meter, triggerInterval, NullLogger.Instance);
        var kubo = new KuboClient(new KuboOptions { Address = address }, observer);
        var health = new DaemonHealthWatch(kubo, TimeProvider.System, NullLogger.Instance);
        var server = await ServiceServer.StartAsync(new ConnectorService(kubo, health, observer, stopping.Token));
        return new House(kubo, observer, health, server, stopping, meter);
    }

    /// <summary>Tells the service that its process stops.</summary>
    public void Stop() => _stopping.Cancel();

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        try
        {
            await _running;
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
        await _server.DisposeAsync();
        await _kubo.DisposeAsync();
        _meter.Dispose();
        _stopping.Dispose();
    }
}
