using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using FakeDaemon;
using Ipld;
using Xunit;

namespace KuboRpc.Tests;

public sealed partial class BlockStreamTests
{
    [Fact]
    public async Task Every_block_is_acknowledged_and_none_is_sent_twice()
    {
        await using var daemon = new Daemon(request => Step.Streamed(Keys(request)));
        await using var client = Client(daemon);
        var blocks = Blocks(1000);
        var written = 0;
        await foreach (var count in client.PutBlocksAsync(blocks.ToAsyncEnumerable()))
            written += count;
        Assert.Equal(1000, written);
        Assert.Equal(blocks.Select(block => block.Cid.ToString()), daemon.Received.SelectMany(FileNames));
        Assert.True(daemon.Received.Count < 10);
    }

    [Fact]
    public async Task A_daemon_that_keeps_only_the_last_part_gets_blocks_one_by_one()
    {
        var stored = new List<string>();
        await using var daemon = new Daemon(request =>
        {
            var last = FileNames(request)[^1];
            lock (stored)
                stored.Add(last);
            return Step.Answer(200, $"{{\"Key\":\"{last}\",\"Size\":1}}");
        });
        await using var client = Client(daemon);
        var blocks = Blocks(20);
        await DrainAsync(client.PutBlocksAsync(blocks.ToAsyncEnumerable()));
        await DrainAsync(client.PutBlocksAsync(Blocks(3, "more").ToAsyncEnumerable()));
        Assert.Superset(blocks.Select(block => block.Cid.ToString()).ToHashSet(), stored.ToHashSet());
        Assert.Equal(1 + 19 + 3, daemon.Received.Count);
        Assert.All(daemon.Received.Skip(1), request => Assert.Contains("format=raw&version=1&mhtype=sha2-256&mhlen=32", request.Target, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_late_error_fails_the_stream()
    {
        await using var daemon = new Daemon(request => Step.Streamed(Keys(request).Take(1), "disk full"));
        await using var client = Client(daemon);
        var failure = await Assert.ThrowsAsync<DaemonAnswerException>(() => DrainAsync(client.PutBlocksAsync(Blocks(3).ToAsyncEnumerable())));
        Assert.Equal("disk full", failure.Message);
    }

    [Fact]
    public async Task Blocks_of_different_hash_functions_go_out_in_different_requests()
    {
        await using var daemon = new Daemon(request => Step.Streamed(Keys(request)));
        await using var client = Client(daemon);
        var data = "x"u8.ToArray();
        DaemonBlock[] blocks =
        [
            .. Blocks(2),
            new(Cid.CreateV1(Multicodec.Raw, Multihash.Create(MultihashCode.Sha2_512, SHA512.HashData(data))), data),
            .. Blocks(2, "again"),
        ];
        await DrainAsync(client.PutBlocksAsync(blocks.ToAsyncEnumerable()));
        Assert.Equal(["mhlen=32", "mhlen=64", "mhlen=32"], daemon.Received.Select(request => HashLength().Match(request.Target).Value));
    }

    [Fact]
    public async Task An_empty_stream_is_an_error()
    {
        await using var client = new KuboClient(new KuboOptions { Address = DaemonAddress.Tcp("127.0.0.1", 1) });
        await Assert.ThrowsAsync<EmptyBlockStreamException>(() => DrainAsync(client.PutBlocksAsync(Blocks(0).ToAsyncEnumerable())));
    }

    [Fact]
    public async Task A_failure_of_the_source_fails_the_stream()
    {
        await using var daemon = new Daemon(request => Step.Streamed(Keys(request)));
        await using var client = Client(daemon);
        await Assert.ThrowsAnyAsync<Exception>(() => DrainAsync(client.PutBlocksAsync(Failing())).WaitAsync(TimeSpan.FromSeconds(60)));

        static async IAsyncEnumerable<DaemonBlock> Failing()
        {
            await Task.Yield();
            yield return Blocks(1)[0];
            throw new InvalidOperationException("the source broke");
        }
    }

    internal static DaemonBlock[] Blocks(int count, string salt = "block") =>
    [
        .. Enumerable.Range(0, count).Select(number =>
        {
            var data = Encoding.UTF8.GetBytes($"{salt} {number}");
            return new DaemonBlock(Cid.CreateV1(Multicodec.Raw, Multihash.Create(MultihashCode.Sha2_256, SHA256.HashData(data))), data);
        }),
    ];

    internal static async Task<int> DrainAsync(IAsyncEnumerable<int> counts)
    {
        var sum = 0;
        await foreach (var count in counts)
            sum += count;
        return sum;
    }

    private static KuboClient Client(Daemon daemon) => new(new KuboOptions { Address = DaemonAddress.Tcp("127.0.0.1", daemon.Port) });

    private static IEnumerable<string> Keys(ReceivedRequest request) => FileNames(request).Select(name => $"{{\"Key\":\"{name}\",\"Size\":1}}\n");

    private static List<string> FileNames(ReceivedRequest request) => [.. request.Parts.Select(part => FileName().Match(part.Headers).Groups[1].Value)];

    [GeneratedRegex("filename=\"([^\"]+)\"")]
    private static partial Regex FileName();

    [GeneratedRegex("mhlen=\\d+")]
    private static partial Regex HashLength();
}
