using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;
using FakeDaemon;
using Xunit;

namespace KuboRpc.Tests;

public sealed class TransportTests
{
    private const string Stat = "{\"RepoSize\":1,\"StorageMax\":2}";

    [Fact]
    public async Task A_request_that_meets_a_connection_the_daemon_has_closed_is_sent_again()
    {
        var answers = 0;
        await using var daemon = new Daemon(_ => Interlocked.Increment(ref answers) == 2 ? [new Step.Close()] : Step.Answer(200, Stat));
        await using var client = Client(daemon);
        await client.RepoStatAsync();
        Assert.Equal(new RepoStat(1, 2), await client.RepoStatAsync());
        Assert.Equal(3, answers);
        Assert.Equal(0, client.Gate.Failures);
    }

    [Fact]
    public async Task A_new_connection_that_breaks_is_an_error_and_not_tried_again()
    {
        await using var daemon = new Daemon(_ => [new Step.Close()]);
        await using var client = Client(daemon);
        await Assert.ThrowsAsync<DaemonUnreachableException>(() => client.RepoStatAsync());
        Assert.Single(daemon.Received);
        Assert.Equal(1, client.Gate.Failures);
    }

    [Fact]
    public async Task A_machine_that_drops_what_comes_counts_as_a_daemon_that_is_away()
    {
        // A listener that accepts nothing: when its queue is full, further connections get no answer at all.
        using var deaf = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        deaf.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        deaf.Listen(0);
        var port = ((IPEndPoint)deaf.LocalEndPoint!).Port;
        var crowd = Enumerable.Range(0, 4).Select(_ => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)).ToList();
        try
        {
            foreach (var one in crowd)
                _ = one.ConnectAsync(IPAddress.Loopback, port).ContinueWith(connected => connected.Exception, TaskScheduler.Default);
            Assert.True(deaf.Poll(TimeSpan.FromSeconds(60), SelectMode.SelectRead), "nothing is in the queue");
            await using var client = new KuboClient(new KuboOptions
            {
                Address = DaemonAddress.Parse($"/ip4/127.0.0.1/tcp/{port}"),
                ConnectTimeout = TimeSpan.FromSeconds(1),
            });
            var failure = await Assert.ThrowsAsync<DaemonUnreachableException>(() => client.IdAsync());
            Assert.Equal($"Post \"http://127.0.0.1:{port}/api/v0/id\": dial tcp 127.0.0.1:{port}: i/o timeout", failure.Message);
            Assert.Equal(1, client.Gate.Failures);
        }
        finally
        {
            crowd.ForEach(one => one.Dispose());
        }
    }

    [Fact]
    public async Task A_daemon_on_a_unix_socket_is_asked_over_it()
    {
        var path = Path.Combine(Path.GetTempPath(), $"kubo-{Guid.NewGuid():N}.sock");
        try
        {
            await using var daemon = new Daemon(_ => Step.Answer(200, Stat), unixSocket: path);
            await using var client = new KuboClient(new KuboOptions { Address = DaemonAddress.Parse("/unix" + path) });
            Assert.Equal(new RepoStat(1, 2), await client.RepoStatAsync());
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public async Task A_missing_unix_socket_is_named()
    {
        await using var client = new KuboClient(new KuboOptions { Address = DaemonAddress.UnixSocket("/nonexistent/ipfs.sock") });
        var failure = await Assert.ThrowsAsync<DaemonUnreachableException>(() => client.RepoStatAsync());
        Assert.Contains("/nonexistent/ipfs.sock", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_compressed_answer_is_read()
    {
        var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionMode.Compress, leaveOpen: true))
            await gzip.WriteAsync(Encoding.UTF8.GetBytes(Stat));
        await using var daemon = new Daemon(_ =>
        [
            Step.Text($"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: {packed.Length}\r\n\r\n"),
            new Step.Send(packed.ToArray()),
        ]);
        await using var client = Client(daemon);
        Assert.Equal(new RepoStat(1, 2), await client.RepoStatAsync());
    }

    [Fact]
    public async Task A_redirect_is_followed()
    {
        await using var daemon = new Daemon(request => request.Target.Contains("moved", StringComparison.Ordinal)
            ? Step.Answer(200, Stat)
            : [Step.Text("HTTP/1.1 307 Temporary Redirect\r\nLocation: /moved\r\nContent-Length: 0\r\n\r\n")]);
        await using var client = Client(daemon);
        Assert.Equal(new RepoStat(1, 2), await client.RepoStatAsync());
    }

    [Fact]
    public async Task Cancelling_a_call_closes_its_connection()
    {
        await using var daemon = new Daemon(_ => [new Step.Hang()]);
        await using var client = Client(daemon);
        using var cancel = new CancellationTokenSource();
        var call = client.RepoStatAsync(cancel.Token);
        Assert.True(SpinWait.SpinUntil(() => daemon.Received.Count == 1, TimeSpan.FromSeconds(60)));
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        Assert.Equal(0, client.Gate.Failures);
    }

    [Fact]
    public async Task An_endless_value_is_cut_off_at_the_limit()
    {
        var piece = new string('x', 64 * 1024);
        await using var daemon = new Daemon(_ =>
        [
            Step.Text("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"Cid\":\""),
            .. Enumerable.Repeat(Step.Text(piece), 100),
            new Step.Close(),
        ]);
        await using var client = Client(daemon);
        var failure = await Assert.ThrowsAsync<DaemonAnswerException>(async () =>
        {
            await foreach (var _ in client.ListPinsAsync("recursive"))
            {
            }
        });
        Assert.Contains("longer than", failure.Message, StringComparison.Ordinal);
    }

    private static KuboClient Client(Daemon daemon) => new(new KuboOptions { Address = DaemonAddress.Tcp("127.0.0.1", daemon.Port) });
}
