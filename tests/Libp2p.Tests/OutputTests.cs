using System.Buffers.Binary;
using Libp2p.Muxing;
using Libp2p.Transport;
using Xunit;

namespace Libp2p.Tests;

/// <summary>Frames on their way out, written by several threads.</summary>
public sealed class OutputTests
{
    private const int Writers = 4;
    private const int FramesEach = 20_000;
    private const int MostUnsentEach = 2;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Nothing_stays_behind_while_many_write_and_batches_end_on_other_threads()
    {
        var transport = new WaveringStream();
        Exception? failure = null;
        var output = new YamuxOutput(transport, TimeProvider.System, e => failure = e);
        var pump = output.RunAsync();
        var threads = Enumerable.Range(0, Writers).Select(writer => new Thread(() =>
        {
            var random = new Random(writer);
            for (int n = 0; n < FramesEach; n++)
            {
                output.Append(new YamuxHeader(YamuxType.Ping, YamuxFlags.Syn, (uint)writer, (uint)n));
                // Lets the line fall free now and then, which is when batches change hands.
                Thread.SpinWait(random.Next(300));
                if (!SpinWait.SpinUntil(() => n - transport.Written(writer) < MostUnsentEach, Limit)) return;
            }
        })).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        Assert.Null(failure);
        await output.DrainAsync().WaitAsync(Limit);
        for (uint writer = 0; writer < Writers; writer++)
            Assert.Equal(Enumerable.Range(0, FramesEach).Select(n => (uint)n), transport.Frames.Where(f => f.Stream == writer).Select(f => f.Value));
        output.Close();
        await pump.WaitAsync(TestHosts.Deadline());
    }

    /// <summary>A line whose writes end at once, or on another thread.</summary>
    private sealed class WaveringStream() : LayerStream(Null)
    {
        private readonly Random random = new(1);
        private readonly int[] counts = new int[Writers];

        public List<(uint Stream, uint Value)> Frames { get; } = [];

        public int Written(int writer) => Volatile.Read(ref counts[writer]);

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            for (int at = 0; at < buffer.Length; at += YamuxHeader.Size)
            {
                uint writer = BinaryPrimitives.ReadUInt32BigEndian(buffer.Span[(at + 4)..]);
                Frames.Add((writer, BinaryPrimitives.ReadUInt32BigEndian(buffer.Span[(at + 8)..])));
                Interlocked.Increment(ref counts[writer]);
            }
            await Task.Yield();
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => throw new NotSupportedException();
    }
}
