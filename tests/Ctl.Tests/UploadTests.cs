using System.Net;
using System.Net.Sockets;
using System.Text;
using Cluster.Model;
using Cluster.RestClient;
using Libp2p;

namespace Ctl.Tests;

/// <summary>Uploads that are answered while they are being sent.</summary>
public sealed class UploadTests
{
    [Fact]
    public async Task A_file_that_cannot_be_read_ends_an_upload_that_is_being_answered()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var serving = ServeAsync(listener, limit.Token);
        var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var address = Multiaddr.Parse($"/ip4/127.0.0.1/tcp/{((IPEndPoint)listener.LocalEndpoint).Port}");
        var endpoints = await EndpointResolver.ResolveAsync(address, new EndpointOptions(), limit.Token);
        var client = new ClusterClient(endpoints, new ClusterClientOptions());
        var objects = 0;
        var failure = await Assert.ThrowsAsync<RestException>(async () =>
        {
            await foreach (var added in client.AddAsync(new GoQuery(), new MultipartUpload(Parts(answered.Task)), limit.Token))
            {
                objects++;
                answered.TrySetResult();
            }
        });
        Assert.Equal(1, objects);
        Assert.Contains("the file is gone", failure.Message, StringComparison.Ordinal);
        Assert.True(await serving);
    }

    private static async IAsyncEnumerable<UploadPart> Parts(Task answered)
    {
        yield return new UploadPart("one", MultipartUpload.FileType, _ => Task.FromResult<Stream>(new MemoryStream(new byte[200_000])));
        await answered;
        yield return new UploadPart("two", MultipartUpload.FileType, _ => throw new FileNotFoundException("the file is gone"));
    }

    /// <summary>Answers with one object and waits for the rest of the request; true when the connection ends before it has come.</summary>
    private static async Task<bool> ServeAsync(TcpListener listener, CancellationToken cancel)
    {
        using var connection = await listener.AcceptTcpClientAsync(cancel);
        var stream = connection.GetStream();
        var head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Stream-Error\r\n\r\n";
        var line = "{\"name\":\"one\",\"cid\":\"QmV4STRyo1dygxGhZcr877TQ1M9AZuXhfm6HrXjxW1TYNP\",\"bytes\":1,\"size\":1,\"allocations\":[]}\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"{head}{line.Length:x}\r\n{line}\r\n"), cancel);
        var buffer = new byte[64 * 1024];
        var last = "";
        try
        {
            int read;
            while ((read = await stream.ReadAsync(buffer, cancel)) > 0)
                last = Encoding.Latin1.GetString(buffer, Math.Max(0, read - 5), Math.Min(5, read));
        }
        catch (IOException)
        {
            // A reset is an end.
        }

        return last != "0\r\n\r\n";
    }
}
