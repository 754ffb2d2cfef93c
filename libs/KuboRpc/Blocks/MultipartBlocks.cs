using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Ipld;

namespace KuboRpc.Blocks;

/// <summary>A multipart body whose parts are blocks; each goes out as soon as it is there (spec/behaviour.md 16.1).</summary>
internal sealed class MultipartBlocks : HttpContent
{
    private readonly string _boundary = RandomNumberGenerator.GetHexString(60, lowercase: true);
    private readonly Func<Func<DaemonBlock, bool, ValueTask>, Task> _produce;
    private readonly TaskCompletionSource _written = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _started;

    /// <param name="produce">Called once with a sink that takes each block and whether another one follows at once.</param>
    public MultipartBlocks(Func<Func<DaemonBlock, bool, ValueTask>, Task> produce)
    {
        _produce = produce;
        Headers.ContentType = MediaTypeHeaderValue.Parse($"multipart/form-data; boundary={_boundary}");
    }

    /// <summary>One block that is at hand.</summary>
    public MultipartBlocks(DaemonBlock block)
        : this(async sink => await sink(block, true))
    {
    }

    /// <summary>Ends when nothing is read from the producer any more.</summary>
    public Task Finished => _started ? _written.Task : Task.CompletedTask;

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        _started = true;
        try
        {
            var first = true;
            await _produce(async (block, more) =>
            {
                await stream.WriteAsync(PartHeader(block.Cid, first), cancellationToken);
                first = false;
                await stream.WriteAsync(block.Data, cancellationToken);
                if (!more)
                    await stream.FlushAsync(cancellationToken);
            });
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"\r\n--{_boundary}--\r\n"), cancellationToken);
        }
        finally
        {
            _written.TrySetResult();
        }
    }

    private byte[] PartHeader(Cid cid, bool first) => Encoding.ASCII.GetBytes(
        $"{(first ? "" : "\r\n")}--{_boundary}\r\nAbspath-Encoded: \r\nContent-Disposition: form-data; name=\"file\"; filename=\"{cid}\"\r\n"
        + "Content-Type: application/octet-stream\r\n\r\n");
}
