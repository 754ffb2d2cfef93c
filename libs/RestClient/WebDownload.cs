namespace Cluster.RestClient;

/// <summary>Files from web servers, for adding URLs.</summary>
public static class WebDownload
{
    /// <summary>The content of a URL.</summary>
    /// <exception cref="IOException">It cannot be had; the text is the original's.</exception>
    public static async Task<Stream> OpenAsync(Uri url, EndpointOptions options, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(url);
        HttpResponse response;
        try
        {
            response = await HttpExchange.SendAsync(EndpointResolver.OfUrl(url, options), new HttpRequest("GET", url.PathAndQuery), other => EndpointResolver.OfUrl(other, options), cancel);
        }
        catch (IOException e)
        {
            throw new IOException($"Get \"{url.OriginalString}\": {e.Message}", e);
        }

        if (response.Status is >= 200 and < 300)
            return new BodyStream(response);
        await response.DisposeAsync();
        throw new IOException($"got non-2XX status code {response.Status}: {url.OriginalString}");
    }

    private sealed class BodyStream(HttpResponse response) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            response.Body.ReadAsync(buffer, cancellationToken);

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            response.Body.ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override async ValueTask DisposeAsync()
        {
            await response.DisposeAsync();
            await base.DisposeAsync();
        }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
