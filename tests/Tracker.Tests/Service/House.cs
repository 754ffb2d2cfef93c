using System.Diagnostics;
using Cluster.Contracts.V1;
using Cluster.Tracker.Core;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Ipld;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cluster.Tracker.Tests.Service;

/// <summary>A real tracker over real sockets, between a fake consensus and a fake connector.</summary>
internal sealed class House : IAsyncDisposable
{
    public static readonly byte[] Self = [0, 8, 1, 2, 3, 4, 5, 6, 7, 8];
    public static readonly byte[] Other = [0, 8, 8, 7, 6, 5, 4, 3, 2, 1];

    private readonly string _folder = Directory.CreateTempSubdirectory("tr").FullName;
    private readonly SocketServer _state;
    private readonly SocketServer _connector;
    private readonly SocketServer _tracker;
    private readonly List<GrpcChannel> _channels = [];
    private TrackerAssembly? _parts;
    private CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    public House(TrackerSettings? settings = null)
    {
        Settings = settings ?? new TrackerSettings();
        _state = Server("state", s => s.AddSingleton(State), a => a.MapGrpcService<FakeState>());
        _connector = Server("connector", s => s.AddSingleton(Connector), a => a.MapGrpcService<FakeConnector>());
        _tracker = Server("tracker", s => s.AddSingleton(_parts!.Service), a => a.MapGrpcService<Api.TrackerService>());
    }

    public TrackerSettings Settings { get; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public ILogger Logger { get; init; } = NullLogger.Instance;

    public FakeState State { get; } = new();

    public FakeConnector Connector { get; } = new();

    /// <summary>To the tracker that was started last: a connection to the one before may still be closing.</summary>
    public Contracts.V1.Tracker.TrackerClient Client { get; private set; } = null!;

    public PinTracker Tracker => _parts!.Tracker;

    /// <summary>As at the beginning of a stop.</summary>
    public void EndStreams() => _parts!.EndStreams();

    public static async Task<House> OpenAsync(TrackerSettings? settings = null)
    {
        var house = new House(settings);
        await house.StartAsync();
        return house;
    }

    /// <summary>A house where no time passes: whatever happens there happens by itself, and no limit runs out.</summary>
    public static async Task<House> OpenInStillTimeAsync(TrackerSettings? settings = null)
    {
        var house = new House(settings) { Time = new Cluster.Tests.ManualTime() };
        await house.StartAsync();
        return house;
    }

    public async Task StartAsync()
    {
        await StartConsensusAsync();
        await StartConnectorAsync();
        await StartTrackerAsync();
    }

    public Task StartConsensusAsync() => _state.StartAsync();

    public Task StopConsensusAsync() => _state.StopAsync();

    public Task StartConnectorAsync() => _connector.StartAsync();

    public Task StopConnectorAsync() => _connector.StopAsync();

    public async Task StartTrackerAsync()
    {
        var state = SocketServer.Dial(PathOf("state"));
        var connector = SocketServer.Dial(PathOf("connector"));
        _channels.AddRange([state, connector]);
        _parts = new TrackerAssembly(
            Path.Combine(_folder, "index"), Settings, new TrackerPeer(Self, "peer1"), new(state), new(connector),
            Time, Logger);
        _stop = new CancellationTokenSource();
        _running = _parts.RunAsync(_stop.Token);
        await _tracker.StartAsync();
        var channel = SocketServer.Dial(PathOf("tracker"));
        _channels.Add(channel);
        Client = new Contracts.V1.Tracker.TrackerClient(channel);
    }

    public async Task StopTrackerAsync()
    {
        await _stop.CancelAsync();
        await _running;
        await _tracker.StopAsync();
        _parts!.Dispose();
        _stop.Dispose();
    }

    public async Task<PinInfo> StatusAsync(Cid cid, ulong sequence = 0) => await Client.StatusAsync(
        new TrackerStatusRequest { Cid = ByteString.CopyFrom(cid.Bytes), AtLeastSequence = sequence }, deadline: Soon);

    public async Task<PinInfo> RecoverAsync(Cid cid) =>
        await Client.RecoverAsync(new TrackerRecoverRequest { Cid = ByteString.CopyFrom(cid.Bytes) }, deadline: Soon);

    public Task<List<PinInfo>> ListAsync(TrackerStatus mask = 0) =>
        ReadAsync(Client.StatusAll(new TrackerStatusAllRequest { StatusMask = (int)mask, AtLeastSequence = State.Sequence }, deadline: Soon));

    public Task<List<PinInfo>> RecoverAllAsync() => ReadAsync(Client.RecoverAll(new TrackerRecoverAllRequest(), deadline: Soon));

    /// <summary>Waits for a status; fails when it does not come.</summary>
    public async Task<PinInfo> UntilAsync(Cid cid, TrackerStatus status)
    {
        var info = await StatusAsync(cid, State.Sequence);
        for (var begun = Stopwatch.GetTimestamp(); info.Status != status && Stopwatch.GetElapsedTime(begun) < Patience;)
        {
            await Task.Delay(20);
            info = await StatusAsync(cid, State.Sequence);
        }

        Assert.Equal(status, info.Status);
        return info;
    }

    public static async Task UntilAsync(Func<bool> condition)
    {
        for (var begun = Stopwatch.GetTimestamp(); !condition() && Stopwatch.GetElapsedTime(begun) < Patience;)
            await Task.Delay(20);
        Assert.True(condition());
    }

    /// <summary>Only to end a test that hangs: no machine is so slow.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static DateTime Soon => DateTime.UtcNow + Patience;

    public async ValueTask DisposeAsync()
    {
        if (!_stop.IsCancellationRequested)
            await StopTrackerAsync();
        await _state.DisposeAsync();
        await _connector.DisposeAsync();
        foreach (var channel in _channels)
            channel.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static async Task<List<PinInfo>> ReadAsync(AsyncServerStreamingCall<TrackerStatusAllResponse> call)
    {
        var items = new List<PinInfo>();
        using (call)
        {
            await foreach (var page in call.ResponseStream.ReadAllAsync())
                items.AddRange(page.Items);
        }

        return items;
    }

    private string PathOf(string name) => Path.Combine(_folder, name);

    private SocketServer Server(string name, Action<IServiceCollection> services, Action<WebApplication> map) => new(PathOf(name), services, map);
}
