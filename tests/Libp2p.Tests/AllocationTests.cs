using System.Diagnostics;
using System.Reflection;
using Libp2p.Muxing;
using Libp2p.Security.Noise;
using Xunit;

namespace Libp2p.Tests;

/// <summary>Nothing is allocated per frame on the data path.</summary>
public sealed class AllocationTests
{
    private const int Frames = 500;
    private const int Rounds = 4;

    /// <summary>Takes everything at once.</summary>
    private sealed class Sink : Stream
    {
        public override bool CanRead => false;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => 0;
        public override long Position { get => 0; set => throw new NotSupportedException(); }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => default;

        public override void Write(byte[] buffer, int offset, int count)
        {
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => 0;

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }

    [Fact]
    public void Sending_through_yamux_noise_and_a_private_network_allocates_nothing_per_frame()
    {
        using var pnet = new PrivateNetwork.PrivateNetworkStream(new Sink(), TestHosts.Secret, new byte[24]);
        using var noise = new NoiseStream(pnet, new byte[32], new byte[32]);
        var output = new YamuxOutput(noise, TimeProvider.System, e => throw e);
        var room = new AsyncSignal();
        var payload = new byte[65524];
        void Send()
        {
            for (int i = 0; i < Frames; i++) Assert.True(output.TryAppend(new YamuxHeader(YamuxType.Data, YamuxFlags.None, 1, (uint)payload.Length), payload, room));
        }

        Send();
        long perFrame = Enumerable.Range(0, Rounds).Min(_ =>
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Send();
            return (GC.GetAllocatedBytesForCurrentThread() - before) / Frames;
        });
        // What is allocated for each frame is so in every round; a collection that empties the pools falls into one. A frame is 64 KiB; what is left is the pool's own bookkeeping now and then. Without optimisation the compiler makes every
        // asynchronous call an object, whose size has nothing to do with the frame's.
        bool optimised = typeof(YamuxOutput).Assembly.GetCustomAttribute<DebuggableAttribute>()?.IsJITOptimizerDisabled != true;
        Assert.InRange(perFrame, 0, optimised ? 64 : 1024);
    }
}
