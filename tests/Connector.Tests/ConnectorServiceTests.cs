using System.Text;
using Cluster.Contracts.V1;
using FakeDaemon;
using Google.Protobuf;
using Grpc.Core;
using Ipld;
using Libp2p;
using Xunit;
using DaemonPin = Cluster.Contracts.V1.DaemonPin;

namespace Cluster.Connector.Tests;

public sealed class ConnectorServiceTests : IAsyncLifetime
{
    private readonly ScriptedDaemon _daemon = new();
    private House _house = null!;

    public async Task InitializeAsync() => _house = await House.StartAsync(_daemon.Daemon);

    public async Task DisposeAsync()
    {
        await _house.DisposeAsync();
        await _daemon.DisposeAsync();
    }

    [Fact]
    public async Task A_pin_streams_its_progress_and_says_when_it_is_done()
    {
        using var call = _house.Client.Pin(new ConnectorPinRequest { Cid = Bytes(Cid(1)), MaxDepth = -1 });
        var messages = await call.ResponseStream.ReadAllAsync().ToListAsync();
        Assert.True(messages[^1].Done);
        Assert.Equal([Cid(1).ToString()], _daemon.Pins);
        Assert.Equal(DaemonPin.Recursive, (await _house.Client.PinStatusAsync(new PinStatusRequest { Cid = Bytes(Cid(1)), MaxDepth = -1 })).Pin);
        await _house.Client.UnpinAsync(new ConnectorUnpinRequest { Cid = Bytes(Cid(1)) });
        Assert.Empty(_daemon.Pins);
    }

    [Fact]
    public async Task A_late_error_of_the_daemon_fails_the_pin_with_its_text()
    {
        _daemon.Failing[Cid(2).ToString()] = 0;
        using var call = _house.Client.Pin(new ConnectorPinRequest { Cid = Bytes(Cid(2)), MaxDepth = -1 });
        var failure = await Assert.ThrowsAsync<RpcException>(async () => await call.ResponseStream.ReadAllAsync().ToListAsync());
        Assert.Equal((StatusCode.Unknown, "pin: merkledag: not found"), (failure.StatusCode, failure.Status.Detail));
    }

    [Fact]
    public async Task Bytes_that_are_no_CID_are_refused()
    {
        var failure = await Assert.ThrowsAsync<RpcException>(async () =>
            await _house.Client.UnpinAsync(new ConnectorUnpinRequest { Cid = ByteString.CopyFromUtf8("nonsense") }));
        Assert.Equal(StatusCode.InvalidArgument, failure.StatusCode);
    }

    [Fact]
    public async Task A_thousand_pins_go_through_one_stream_of_batches()
    {
        using var stream = _house.Client.Calls();
        var batch = new ConnectorCallBatch();
        for (var number = 0; number < 1000; number++)
            batch.Calls.Add(PinCall((ulong)number, Cid(number)));
        await stream.RequestStream.WriteAsync(batch);
        await stream.RequestStream.CompleteAsync();
        var results = await stream.ResponseStream.ReadAllAsync().ToListAsync();
        var done = results.SelectMany(result => result.Results).Where(result => result.ResultCase == ConnectorCallResult.ResultOneofCase.Done).Select(result => result.Id);
        Assert.Equal(Enumerable.Range(0, 1000).Select(number => (ulong)number), done.Order());
        Assert.Equal(1000, _daemon.Pins.Count);
    }

    [Fact]
    public async Task A_call_of_a_batch_is_cancelled_by_its_id_and_the_others_go_on()
    {
        _daemon.Hanging[Cid(1).ToString()] = 0;
        using var stream = _house.Client.Calls();
        await stream.RequestStream.WriteAsync(new ConnectorCallBatch { Calls = { PinCall(1, Cid(1)), PinCall(2, Cid(2)) } });
        var results = ReadResults(stream);
        var progress = await results.FirstAsync(result => result.Id == 1 && result.Progress is { Nodes: 2 });
        Assert.Equal(20u, progress.Progress.Bytes);
        await stream.RequestStream.WriteAsync(new ConnectorCallBatch { Calls = { new ConnectorCall { Id = 1, Cancel = new Empty() } } });
        var ended = await results.FirstAsync(result => result.Id == 1 && result.ResultCase == ConnectorCallResult.ResultOneofCase.Error);
        Assert.Equal((int)StatusCode.Cancelled, ended.Error.Code);
        await stream.RequestStream.WriteAsync(new ConnectorCallBatch
        {
            Calls = { new ConnectorCall { Id = 3, Status = new PinStatusRequest { Cid = Bytes(Cid(2)), MaxDepth = -1 } } },
        });
        var status = await results.FirstAsync(result => result.Id == 3);
        Assert.Equal(DaemonPin.Recursive, status.Status.Pin);
    }

    [Fact]
    public async Task A_failing_call_of_a_batch_tells_code_and_text()
    {
        _daemon.Failing[Cid(7).ToString()] = 0;
        using var stream = _house.Client.Calls();
        await stream.RequestStream.WriteAsync(new ConnectorCallBatch { Calls = { PinCall(1, Cid(7)), new ConnectorCall { Id = 2, Unpin = new ConnectorUnpinRequest() }, new ConnectorCall { Id = 3 } } });
        await stream.RequestStream.CompleteAsync();
        var errors = (await ReadResults(stream).Where(result => result.Error != null).ToListAsync()).ToDictionary(result => result.Id, result => result.Error);
        Assert.Equal(((int)StatusCode.Unknown, "pin: merkledag: not found"), (errors[1].Code, errors[1].Message));
        Assert.Equal((int)StatusCode.InvalidArgument, errors[2].Code);
        Assert.Equal((int)StatusCode.InvalidArgument, errors[3].Code);
    }

    [Fact]
    public async Task A_stopping_process_ends_its_streams_as_unavailable()
    {
        _daemon.Hanging[Cid(1).ToString()] = 0;
        using var calls = _house.Client.Calls();
        await calls.RequestStream.WriteAsync(new ConnectorCallBatch { Calls = { PinCall(1, Cid(1)) } });
        await ReadResults(calls).FirstAsync();
        using var health = _house.Client.WatchHealth(new Empty());
        await health.ResponseStream.MoveNext(default);
        _house.Stop();
        var ended = await Assert.ThrowsAsync<RpcException>(async () => await ReadResults(calls).ToListAsync());
        Assert.Equal(StatusCode.Unavailable, ended.StatusCode);
        ended = await Assert.ThrowsAsync<RpcException>(async () => await health.ResponseStream.ReadAllAsync().ToListAsync());
        Assert.Equal(StatusCode.Unavailable, ended.StatusCode);
    }

    [Fact]
    public async Task Pins_are_listed_in_messages_of_many()
    {
        using var stream = _house.Client.Calls();
        for (var number = 0; number < 700; number++)
            await stream.RequestStream.WriteAsync(new ConnectorCallBatch { Calls = { PinCall((ulong)number, Cid(number)) } });
        await stream.RequestStream.CompleteAsync();
        await ReadResults(stream).ToListAsync();
        using var listing = _house.Client.ListPins(new ListPinsRequest { Recursive = true });
        var messages = await listing.ResponseStream.ReadAllAsync().ToListAsync();
        Assert.Equal(2, messages.Count);
        Assert.Equal(700, messages.Sum(message => message.Items.Count));
    }

    [Fact]
    public async Task Health_tells_the_daemon_and_when_it_goes()
    {
        using var watch = _house.Client.WatchHealth(new Empty());
        var up = await watch.ResponseStream.ReadAllAsync().FirstAsync(health => health.Up);
        Assert.Equal(ScriptedDaemon.PeerId, up.Id.Id);
        Assert.Equal(ScriptedDaemon.PeerId, (await _house.Client.IdAsync(new ConnectorIdRequest { MaxAgeMs = 60_000 })).Id);
        await _daemon.DisposeAsync();
        var failure = await Assert.ThrowsAsync<RpcException>(async () => await _house.Client.RepoStatAsync(new Empty()));
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
        var down = await watch.ResponseStream.ReadAllAsync().FirstAsync(health => !health.Up).AsTask().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Contains("connection refused", down.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_path_that_is_none_is_refused_with_its_text()
    {
        var failure = await Assert.ThrowsAsync<RpcException>(async () => await _house.Client.ResolveAsync(new ResolveRequest { Path = "/ipfs/notacid" }));
        Assert.Equal(StatusCode.InvalidArgument, failure.StatusCode);
        Assert.StartsWith("invalid path \"/ipfs//ipfs/notacid\"", failure.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Informers_are_due_after_so_many_changes()
    {
        using var meter = new System.Diagnostics.Metrics.Meter("trigger");
        var observer = new Running.ConnectorObserver(meter, 4, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        var due = 0;
        observer.InformersDue += () => due++;
        for (var pin = 0; pin < 5; pin++)
        {
            observer.PinStarted();
            observer.PinEnded();
        }
        Assert.Equal(2, due);
    }

    private static ConnectorCall PinCall(ulong id, Cid cid) => new() { Id = id, Pin = new ConnectorPinRequest { Cid = Bytes(cid), MaxDepth = -1 } };

    private static IAsyncEnumerable<ConnectorCallResult> ReadResults(AsyncDuplexStreamingCall<ConnectorCallBatch, ConnectorCallResultBatch> stream) =>
        stream.ResponseStream.ReadAllAsync().SelectMany(batch => batch.Results.ToAsyncEnumerable());

    private static Cid Cid(int number) =>
        Ipld.Cid.CreateV1(Multicodec.Raw, Multihash.Create(MultihashCode.Identity, Encoding.UTF8.GetBytes($"content {number}")));

    private static ByteString Bytes(Cid cid) => ByteString.CopyFrom(cid.Bytes);
}
