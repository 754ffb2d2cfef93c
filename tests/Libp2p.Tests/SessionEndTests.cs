using Libp2p.Muxing;
using Libp2p.Transport;
using Xunit;

namespace Libp2p.Tests;

/// <summary>The end of a session, and what happens at the same time.</summary>
public sealed class SessionEndTests
{
    private static readonly YamuxOptions Quiet = new() { KeepAlive = false };

    private static byte[] Header(YamuxType type, YamuxFlags flags, uint id, uint length)
    {
        var bytes = new byte[YamuxHeader.Size];
        new YamuxHeader(type, flags, id, length).Write(bytes);
        return bytes;
    }

    [Fact]
    public async Task Whoever_opens_a_stream_on_an_ended_session_is_told_so_however_often()
    {
        using var wire = new ScriptedStream();
        var session = new YamuxSession(wire, client: true, Quiet, UnlimitedMemory.Instance, TimeProvider.System);
        session.Start();
        session.End(new ConnectionClosedException("The test ends it."));
        for (int i = 0; i < 600; i++)
            await Assert.ThrowsAsync<ConnectionClosedException>(async () => await session.OpenAsync(hold: false, TestHosts.Deadline()));
    }

    [Fact]
    public async Task All_that_wait_to_open_a_stream_are_told_of_the_end()
    {
        using var wire = new ScriptedStream();
        var session = new YamuxSession(wire, client: true, Quiet, UnlimitedMemory.Instance, TimeProvider.System);
        session.Start();
        // The other side acknowledges none of them.
        var opened = Enumerable.Range(0, 1000).Select(_ => session.OpenAsync(hold: false, TestHosts.Deadline()).AsTask()).ToArray();
        session.End(new ConnectionClosedException("The test ends it."));
        foreach (var waiting in opened.Where(task => !task.IsCompletedSuccessfully)) await Assert.ThrowsAsync<ConnectionClosedException>(() => waiting);
        Assert.InRange(opened.Count(task => task.IsCompletedSuccessfully), 1, 256);
    }

    [Fact]
    public async Task A_stream_that_comes_while_the_session_ends_is_nobodys_and_holds_no_memory()
    {
        using var wire = new LateStream(Header(YamuxType.WindowUpdate, YamuxFlags.Syn, 2, 0));
        var memory = new CountedMemory();
        var session = new YamuxSession(wire, client: true, Quiet, memory, TimeProvider.System);
        session.Start();
        await wire.Waiting.WaitAsync(TestHosts.Deadline());
        session.End(new ConnectionClosedException("The test ends it."));
        var stream = await session.AcceptAsync(TestHosts.Deadline());
        Assert.True(stream is null or { IsAlive: false });
        Assert.Equal(0, memory.Held);
        Assert.Equal(0, session.StreamCount);
    }

    [Fact]
    public async Task Whoever_loses_a_stream_finds_its_session_ended()
    {
        using var wire = new ScriptedStream();
        var memory = new CountedMemory();
        var session = new YamuxSession(wire, client: true, Quiet, memory, TimeProvider.System);
        session.Start();
        var stream = await session.OpenAsync(hold: false, TestHosts.Deadline());
        (bool IsAlive, bool HasEnded) then = default;
        memory.Released = () => then = (stream.IsAlive, session.HasEnded);
        session.End(new ConnectionClosedException("The test ends it."));
        Assert.Equal((false, true), then);
    }

    [Fact]
    public async Task Frames_that_are_held_back_for_company_let_others_through_when_they_are_many()
    {
        using var wire = new ScriptedStream();
        var output = new YamuxOutput(wire, TimeProvider.System, _ => { });
        var pump = output.RunAsync();
        var ping = new YamuxHeader(YamuxType.Ping, YamuxFlags.Syn, 0, 1);
        for (int i = 0; i < 6000; i++) output.Append(ping, hold: true);
        var room = new AsyncSignal();
        var data = new byte[64 * 1024 - YamuxHeader.Size];
        while (!output.TryAppend(new YamuxHeader(YamuxType.Data, YamuxFlags.None, 1, (uint)data.Length), data, room)) await room.WaitAsync(TestHosts.Deadline());
        await output.DrainAsync().WaitAsync(TestHosts.Deadline());
        Assert.Equal(6000 * YamuxHeader.Size + YamuxHeader.Size + data.Length, wire.Written.Length);
        output.Close();
        await pump.WaitAsync(TestHosts.Deadline());
    }

    private sealed class CountedMemory : IMemoryBudget
    {
        private long held;

        public long Held => Volatile.Read(ref held);

        public bool TryReserve(long bytes)
        {
            Interlocked.Add(ref held, bytes);
            return true;
        }

        /// <summary>Called with each release.</summary>
        public Action? Released { get; set; }

        public void Release(long bytes)
        {
            Interlocked.Add(ref held, -bytes);
            Released?.Invoke();
        }
    }

    /// <summary>A line on which a frame arrives while it is closed; the closing ends when the frame has been acted on.</summary>
    private sealed class LateStream(byte[] frame) : LayerStream(Null)
    {
        private readonly TaskCompletionSource waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource closing = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly ManualResetEventSlim taken = new();
        private bool sent;

        public Task Waiting => waiting.Task;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (sent)
            {
                taken.Set();
                return 0;
            }
            waiting.TrySetResult();
            await closing.Task;
            sent = true;
            frame.CopyTo(buffer);
            return frame.Length;
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => default;

        protected override void Dispose(bool disposing)
        {
            closing.TrySetResult();
            if (disposing) Assert.True(taken.Wait(TimeSpan.FromSeconds(60)));
            base.Dispose(disposing);
        }
    }
}
