using System.Buffers;
using System.IO.Pipelines;

namespace Cluster.PeerRpc.Tests;

/// <summary>Two ends of a stream in memory.</summary>
internal sealed class Duplex(PipeReader input, PipeWriter output) : IDuplexPipe
{
    public PipeReader Input => input;

    public PipeWriter Output => output;

    public static (IDuplexPipe Ours, IDuplexPipe Theirs) Pair()
    {
        Pipe there = new(), back = new(new PipeOptions(pauseWriterThreshold: 1 << 24));
        return (new Duplex(there.Reader, back.Writer), new Duplex(back.Reader, there.Writer));
    }
}

internal static class PipeReading
{
    public static async Task<byte[]> ReadToEndAsync(this PipeReader reader, CancellationToken cancellation)
    {
        while (true)
        {
            var read = await reader.ReadAsync(cancellation);
            if (read.IsCompleted) return read.Buffer.ToArray();
            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }
}
