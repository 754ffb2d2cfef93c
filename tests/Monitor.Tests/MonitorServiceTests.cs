using System.Diagnostics.Metrics;
using Cluster.Contracts.V1;
using Cluster.Model.Configuration;
using Cluster.Monitor.Running;
using Cluster.Monitor.Serving;
using Cluster.Tests;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using static Cluster.Monitor.Tests.Peers;
using Contract = Cluster.Contracts.V1.Monitor;
using Metric = Cluster.Contracts.V1.Metric;

namespace Cluster.Monitor.Tests;

/// <summary>The monitor between a gRPC client and a connector and tracker that are played.</summary>
public sealed class MonitorServiceTests : IAsyncLifetime
{
    private static readonly TimeSpan Holds = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource _stopping = new();
    private readonly Meter _meter = new("monitor tests");
    private readonly FakeConnector _connector = new();
    private readonly ManualTime _time = new();
    private ServiceServer _connectorServer = null!;
    private ServiceServer _trackerServer = null!;
    private ServiceServer _server = null!;
    private MonitorRunner _runner = null!;
    private Contract.MonitorClient _client = null!;

    public async Task InitializeAsync()
    {
        _connectorServer = await ServiceServer.StartAsync(_connector);
        _trackerServer = await ServiceServer.StartAsync(new FakeTracker());
        var connector = new Connector.ConnectorClient(_connectorServer.Channel);
        var hub = new MetricHub(_time);
        var settings = new MonitorSettings
        {
            Peer = Peer(1),
            PeerName = "peer1",
            CheckInterval = TimeSpan.FromMilliseconds(50),
            Disk = new DiskSection(),
            PinQueue = new PinQueueSection(),
            Tags = new TagsSection(),
        };
        var daemon = new DaemonWatch(connector, TimeProvider.System, NullLogger.Instance);
        var questions = new PeerQuestions(connector, new Tracker.TrackerClient(_trackerServer.Channel), NullLogger.Instance);
        _runner = new MonitorRunner(settings, hub, daemon, questions, _meter, _time, NullLogger.Instance);
        _server = await ServiceServer.StartAsync(new MonitorService(hub, _runner, _stopping.Token));
        _client = new Contract.MonitorClient(_server.Channel);
        await _runner.StartAsync(default);
    }

    public async Task DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _runner.StopAsync(default);
        _runner.Dispose();
        await _server.DisposeAsync();
        await _connectorServer.DisposeAsync();
        await _trackerServer.DisposeAsync();
        _meter.Dispose();
        _stopping.Dispose();
    }

    [Fact]
    public async Task A_part_that_fails_ends_the_whole_runner_instead_of_being_missed()
    {
        var connector = new Connector.ConnectorClient(_connectorServer.Channel);
        using var runner = new MonitorRunner(
            new MonitorSettings { Peer = Peer(1), PeerName = "peer1", CheckInterval = TimeSpan.Zero },
            new MetricHub(TimeProvider.System),
            new DaemonWatch(connector, TimeProvider.System, NullLogger.Instance),
            new PeerQuestions(connector, new Tracker.TrackerClient(_trackerServer.Channel), NullLogger.Instance),
            _meter, TimeProvider.System, NullLogger.Instance);
        await runner.StartAsync(default);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => runner.ExecuteTask!.WaitAsync(TimeSpan.FromSeconds(60)));
    }

    [Fact]
    public async Task The_first_metrics_are_out_as_soon_as_the_daemon_answers()
    {
        using var own = _client.WatchOwn(new Empty());
        var found = new Dictionary<string, Metric>();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!found.ContainsKey("ping") || !found.ContainsKey("freespace") || !found.ContainsKey("pinqueue") || !found.ContainsKey("tag:group"))
        {
            Assert.True(await own.ResponseStream.MoveNext(patience.Token));
            foreach (var metric in own.ResponseStream.Current.Metrics)
                found[metric.Name] = metric;
        }
        Assert.Equal("{\"peer_name\":\"peer1\",\"ipfs_id\":\"12D3KooWGHHVX4zjxRXbJHVgoVBtaYzh7vbhASUpzHxPHCDC1NA4\"}", found["ping"].Value);
        Assert.Equal(("900", 900), (found["freespace"].Value, found["freespace"].Weight));
        Assert.Equal("5", found["pinqueue"].Value);
        Assert.True(found["tag:group"].Partitionable);
        Assert.All(found.Values, metric => Assert.Equal(Peer(1), Libp2p.PeerId.FromBytes(metric.Peer.Span)));
    }

    [Fact]
    public async Task Received_metrics_are_answered_watched_and_raise_alerts_when_they_run_out()
    {
        using var latest = _client.WatchLatest(new Empty());
        Assert.True(await latest.ResponseStream.MoveNext(default));
        using var alerts = _client.WatchAlerts(new Empty());
        await _client.PublishAsync(new PublishRequest { Metrics = { Message(2, "ping") } });
        Assert.Contains(Bytes(2), (await _client.LatestAsync(new LatestRequest { Name = "ping" })).Metrics.Select(metric => metric.Peer));
        Assert.Contains("ping", (await _client.NamesAsync(new Empty())).Names);
        await latest.ResponseStream.ReadAllAsync().FirstAsync(change => change.Metrics.Any(metric => metric.Peer == Bytes(2)));
        await PassUntilAsync(latest.ResponseStream.ReadAllAsync().FirstAsync(change => change.Expired.Any(metric => metric.Peer == Bytes(2))).AsTask());
        var alert = await PassUntilAsync(alerts.ResponseStream.ReadAllAsync().FirstAsync(each => each.Metric.Peer == Bytes(2)).AsTask());
        Assert.Equal(("ping", Bytes(2)), (alert.Metric.Name, alert.Metric.Peer));
        // Alerts keep working after the first. Metrics of this peer run out as well.
        await _client.PublishAsync(new PublishRequest { Metrics = { Message(2, "ping") } });
        alert = await PassUntilAsync(alerts.ResponseStream.ReadAllAsync().FirstAsync(each => each.Metric.Peer == Bytes(2)).AsTask());
        Assert.Equal(Bytes(2), alert.Metric.Peer);
    }

    [Fact]
    public async Task Asked_for_it_every_informer_runs()
    {
        await _client.SendInformersAsync(new Empty());
        var before = _connector.RepoStats;
        await _client.SendInformersAsync(new Empty());
        Assert.True(_connector.RepoStats > before);
    }

    [Fact]
    public async Task Bytes_that_are_no_peer_are_refused()
    {
        var failure = await Assert.ThrowsAsync<RpcException>(async () => await _client.ForgetAsync(new ForgetRequest { Peer = ByteString.CopyFromUtf8("no") }));
        Assert.Equal(StatusCode.InvalidArgument, failure.StatusCode);
    }

    [Fact]
    public async Task A_stopping_process_ends_its_watches_as_unavailable()
    {
        using var latest = _client.WatchLatest(new Empty());
        await latest.ResponseStream.MoveNext(default);
        await _stopping.CancelAsync();
        var failure = await Assert.ThrowsAsync<RpcException>(async () => await latest.ResponseStream.ReadAllAsync().ToListAsync());
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
    }

    private static ByteString Bytes(int peer) => ByteString.CopyFrom(Peer(peer).Bytes);

    /// <summary>Lets time pass, more than any metric holds, until something has come of it: whoever sets his timer late is reached too.</summary>
    private async Task<T> PassUntilAsync<T>(Task<T> outcome)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!outcome.IsCompleted)
        {
            _time.Advance(Holds + TimeSpan.FromSeconds(1));
            await Task.WhenAny(outcome, Task.Delay(20, patience.Token));
            patience.Token.ThrowIfCancellationRequested();
        }
        return await outcome;
    }

    private Metric Message(int peer, string name) => new()
    {
        Name = name,
        Peer = Bytes(peer),
        Value = "x",
        Valid = true,
        Expire = Model.GoTime.Now(_time).Add(Model.GoDuration.FromTimeSpan(Holds)).UnixNanoseconds,
    };

    private sealed class FakeConnector : Connector.ConnectorBase
    {
        private int _repoStats;

        public int RepoStats => _repoStats;

        public override async Task WatchHealth(Empty request, IServerStreamWriter<DaemonHealth> responseStream, ServerCallContext context)
        {
            await responseStream.WriteAsync(new DaemonHealth { Up = false, Error = "not yet" });
            await responseStream.WriteAsync(new DaemonHealth
            {
                Up = true,
                Id = new IpfsId { Id = "12D3KooWGHHVX4zjxRXbJHVgoVBtaYzh7vbhASUpzHxPHCDC1NA4", Addresses = { "/ip4/127.0.0.1/tcp/4001" } },
            });
            await Task.Delay(Timeout.InfiniteTimeSpan, context.CancellationToken);
        }

        public override Task<RepoStatResponse> RepoStat(Empty request, ServerCallContext context)
        {
            Interlocked.Increment(ref _repoStats);
            return Task.FromResult(new RepoStatResponse { RepoSize = 100, StorageMax = 1000 });
        }
    }

    private sealed class FakeTracker : Tracker.TrackerBase
    {
        public override Task<QueueSizeResponse> QueueSize(Empty request, ServerCallContext context) =>
            Task.FromResult(new QueueSizeResponse { PinQueued = 3, PriorityQueued = 2, Pinning = 7 });
    }
}
