using System.Buffers;
using Libp2p.Hosting;
using Libp2p.Muxing;
using Libp2p.Negotiation;
using Libp2p.Simulation;
using Xunit;

namespace Libp2p.Tests;

/// <summary>Closing a stream with bytes that the other side has given no window for.</summary>
public sealed class StreamClosingTests : IDisposable
{
    private const int Surplus = 1000;
    private readonly VirtualTime time = new();
    private readonly ScriptedStream wire = new();
    private readonly YamuxSession session;

    public StreamClosingTests()
    {
        session = new YamuxSession(wire, client: true, new YamuxOptions { KeepAlive = false }, UnlimitedMemory.Instance, time);
        session.Start();
    }

    public void Dispose()
    {
        session.End(new ConnectionClosedException("The test is over."));
        wire.Dispose();
    }

    private async Task<Task> CloseWithTooMuchAsync()
    {
        var stream = await session.OpenAsync(hold: false, TestHosts.Deadline());
        stream.Output.Write(TestHosts.Pattern((int)YamuxOptions.InitialWindow + Surplus));
        var closing = stream.Output.CompleteAsync().AsTask();
        await TestHosts.EventuallyAsync(() => wire.Written.Length > YamuxOptions.InitialWindow, "the window is not used up");
        Assert.False(closing.IsCompleted);
        return closing;
    }

    // Far more virtual time than is due: on a busy machine a timer may be set late, when some steps have passed already.
    private async Task WaitAsync(Task closing)
    {
        var most = TimeSpan.FromMinutes(5);
        for (var passed = TimeSpan.Zero; passed < most && !closing.IsCompleted; passed += TimeSpan.FromSeconds(1))
            await time.AdvanceAsync(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        await closing.WaitAsync(TestHosts.Deadline());
    }

    private static byte[] Frame(YamuxType type, YamuxFlags flags, uint id, uint length)
    {
        var bytes = new byte[YamuxHeader.Size];
        new YamuxHeader(type, flags, id, length).Write(bytes);
        return bytes;
    }

    private Task EndsWithAsync(YamuxFlags flag) =>
        TestHosts.EventuallyAsync(() => wire.Written.AsSpan().EndsWith(Frame(YamuxType.WindowUpdate, flag, 1, 0)), $"the last frame is not {flag}");

    [Fact]
    public async Task A_stream_that_the_other_side_never_reads_is_reset_when_it_is_closed()
    {
        var closing = await CloseWithTooMuchAsync();
        await WaitAsync(closing);
        await EndsWithAsync(YamuxFlags.Rst);
        Assert.Equal(0, session.StreamCount);
        Assert.False(session.Closed.IsCompleted);
    }

    [Fact]
    public async Task A_slow_reader_gets_all_before_the_stream_is_closed()
    {
        var closing = await CloseWithTooMuchAsync();
        for (int i = 0; i < 4; i++)
        {
            await time.AdvanceAsync(TimeSpan.FromSeconds(8), TimeSpan.FromSeconds(1));
            Assert.False(closing.IsCompleted);
            int before = wire.Written.Length;
            wire.Feed(Frame(YamuxType.WindowUpdate, YamuxFlags.None, 1, (uint)Surplus / 4));
            await TestHosts.EventuallyAsync(() => wire.Written.Length > before, "nothing went");
        }
        await closing.WaitAsync(TestHosts.Deadline());
        await EndsWithAsync(YamuxFlags.Fin);
    }

    [Fact]
    public async Task A_reader_that_drips_does_not_hold_a_closed_stream_for_ever()
    {
        var closing = await CloseWithTooMuchAsync();
        for (int i = 0; i < 20 && !closing.IsCompleted; i++)
        {
            wire.Feed(Frame(YamuxType.WindowUpdate, YamuxFlags.None, 1, 1));
            await time.AdvanceAsync(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(1));
        }
        await WaitAsync(closing);
        await EndsWithAsync(YamuxFlags.Rst);
    }

    [Fact]
    public async Task A_stream_whose_write_was_given_up_half_way_is_reset_when_it_is_closed()
    {
        var stream = await session.OpenAsync(hold: false, TestHosts.Deadline());
        using var giveUp = new CancellationTokenSource();
        var writing = stream.Output.WriteAsync(TestHosts.Pattern((int)YamuxOptions.InitialWindow + Surplus), giveUp.Token).AsTask();
        await TestHosts.EventuallyAsync(() => wire.Written.Length > YamuxOptions.InitialWindow, "the window is not used up");
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing);
        Assert.Equal(0, stream.Output.UnflushedBytes);
        await stream.Output.CompleteAsync();
        await EndsWithAsync(YamuxFlags.Rst);
        Assert.Equal(0, session.StreamCount);
    }

    [Fact]
    public async Task A_read_that_was_given_up_between_the_answers_to_a_proposal_is_followed_by_one_that_succeeds()
    {
        const string Protocol = "/test/1.0.0";
        var stream = await session.OpenAsync(hold: false, TestHosts.Deadline());
        var input = new CountingReader(stream, new ProtocolTraffic(Protocol), Protocol);
        await FeedAsync(MultistreamToken.Encode(ProtocolName.Multistream));
        using var giveUp = new CancellationTokenSource();
        var reading = input.ReadAsync(giveUp.Token).AsTask();
        Assert.False(reading.IsCompleted);
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        await FeedAsync([.. MultistreamToken.Encode(Protocol), 1, 2, 3]);
        var result = await input.ReadAsync(TestHosts.Deadline());
        Assert.Equal([1, 2, 3], result.Buffer.ToArray());
    }

    private async Task FeedAsync(byte[] data)
    {
        wire.Feed([.. Frame(YamuxType.Data, YamuxFlags.None, 1, (uint)data.Length), .. data]);
        await TestHosts.EventuallyAsync(() => wire.IsDrained, "the frame is not read");
    }
}
