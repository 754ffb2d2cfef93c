using System.Security.Cryptography;
using Ipld;
using LocalIpfs;
using Xunit;

namespace KuboRpc.Tests;

/// <summary>The client against a real daemon, as Kubo answers and as plain JS-IPFS does.</summary>
public abstract class RealDaemonTests(IpfsDaemonFixture fixture)
{
    private static readonly Cid Missing = BlockStreamTests.Blocks(1, "nowhere at all")[0].Cid;

    protected IpfsDaemon Daemon => fixture.Daemon;

    [Fact]
    public async Task The_daemon_tells_who_it_is()
    {
        await using var client = Client();
        var id = await client.IdAsync();
        Assert.Equal(Daemon.Id, id.Id.ToString());
        Assert.NotEmpty(id.Addresses);
    }

    [Fact]
    public async Task A_block_goes_in_is_pinned_listed_unpinned_and_comes_out()
    {
        await using var client = Client();
        var block = BlockStreamTests.Blocks(1, Guid.NewGuid().ToString())[0];
        Assert.Equal(1, await BlockStreamTests.DrainAsync(client.PutBlocksAsync(new[] { block }.ToAsyncEnumerable())));
        Assert.Equal(block.Data.ToArray(), await client.GetBlockAsync(block.Cid));
        Assert.Equal(DaemonPinKind.Unpinned, await client.CheckPinAsync(block.Cid, direct: false));
        Assert.Equal(DaemonPinOutcome.Added, await client.PinAsync(new DaemonPinRequest { Cid = block.Cid }));
        Assert.Equal(DaemonPinOutcome.AlreadyPinned, await client.PinAsync(new DaemonPinRequest { Cid = block.Cid }));
        Assert.Contains(await client.ListPinsAsync("recursive").ToListAsync(), pin => pin.Cid == block.Cid && pin.Kind == DaemonPinKind.Recursive);
        await client.UnpinAsync(block.Cid);
        await client.UnpinAsync(block.Cid);
        Assert.Equal(DaemonPinKind.Unpinned, await client.CheckPinAsync(block.Cid, direct: false));
    }

    [Fact]
    public async Task A_direct_pin_is_direct()
    {
        await using var client = Client();
        var block = BlockStreamTests.Blocks(1, Guid.NewGuid().ToString())[0];
        await BlockStreamTests.DrainAsync(client.PutBlocksAsync(new[] { block }.ToAsyncEnumerable()));
        await client.PinAsync(new DaemonPinRequest { Cid = block.Cid, MaxDepth = 0 });
        Assert.Equal(DaemonPinKind.Direct, await client.CheckPinAsync(block.Cid, direct: true));
        Assert.Equal(DaemonPinKind.Unpinned, await client.CheckPinAsync(block.Cid, direct: false));
    }

    [Fact]
    public async Task Hundreds_of_blocks_of_two_codecs_all_arrive()
    {
        await using var client = Client();
        var blocks = BlockStreamTests.Blocks(300, Guid.NewGuid().ToString()).ToList();
        var directory = new byte[] { 0x0a, 0x02, 0x08, 0x01 };
        blocks.Insert(7, new DaemonBlock(Cid.CreateV0(Multihash.Create(MultihashCode.Sha2_256, SHA256.HashData(directory))), directory));
        Assert.Equal(blocks.Count, await BlockStreamTests.DrainAsync(client.PutBlocksAsync(blocks.ToAsyncEnumerable())));
        foreach (var block in blocks.Where((_, index) => index % 50 == 7))
            Assert.Equal(block.Data.ToArray(), await client.GetBlockAsync(block.Cid));
    }

    [Fact]
    public async Task An_update_pins_the_new_and_keeps_the_old()
    {
        await using var client = Client();
        var blocks = BlockStreamTests.Blocks(2, Guid.NewGuid().ToString());
        await BlockStreamTests.DrainAsync(client.PutBlocksAsync(blocks.ToAsyncEnumerable()));
        await client.PinAsync(new DaemonPinRequest { Cid = blocks[0].Cid });
        await client.PinAsync(new DaemonPinRequest { Cid = blocks[1].Cid, UpdateFrom = blocks[0].Cid });
        Assert.Equal(DaemonPinKind.Recursive, await client.CheckPinAsync(blocks[0].Cid, direct: false));
        Assert.Equal(DaemonPinKind.Recursive, await client.CheckPinAsync(blocks[1].Cid, direct: false));
    }

    [Fact]
    public async Task Content_that_is_nowhere_ends_a_pin_at_the_limit_of_progress()
    {
        await using var client = Client(pinTimeout: TimeSpan.FromSeconds(2));
        var failure = await Assert.ThrowsAsync<DaemonTimeoutException>(() => client.PinAsync(new DaemonPinRequest { Cid = Missing }));
        Assert.EndsWith("context canceled", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_repository_has_a_size_and_a_limit()
    {
        await using var client = Client();
        var stat = await client.RepoStatAsync();
        Assert.Equal(10_000_000_000u, stat.StorageMax);
        Assert.InRange(stat.RepoSize, 1u, stat.StorageMax);
    }

    [Fact]
    public async Task A_value_of_the_configuration_is_found()
    {
        await using var client = Client();
        Assert.Contains("10000000000", await client.ConfigKeyAsync("Datastore/StorageMax"), StringComparison.Ordinal);
        await Assert.ThrowsAsync<ConfigKeyException>(() => client.ConfigKeyAsync("Datastore/Nothing"));
    }

    [Fact]
    public async Task A_path_that_is_missing_is_the_daemons_error()
    {
        await using var client = Client();
        var block = new byte[] { 0x0a, 0x02, 0x08, 0x01 };
        var directory = Cid.CreateV0(Multihash.Create(MultihashCode.Sha2_256, SHA256.HashData(block)));
        var failure = await Assert.ThrowsAsync<DaemonRefusedException>(() => client.ResolveAsync($"/ipfs/{directory}/nothing"));
        Assert.Contains("no link named", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pin_with_origins_finds_its_content_at_the_origin()
    {
        await using var other = await IpfsDaemon.StartAsync();
        var block = BlockStreamTests.Blocks(1, Guid.NewGuid().ToString())[0];
        await using (var there = Client(other, TimeSpan.FromMinutes(2)))
            await BlockStreamTests.DrainAsync(there.PutBlocksAsync(new[] { block }.ToAsyncEnumerable()));
        await using var client = Client(pinTimeout: TimeSpan.FromSeconds(60));
        await client.PinAsync(new DaemonPinRequest { Cid = block.Cid, Origins = other.SwarmAddresses });
        Assert.Contains((await client.SwarmPeersAsync()).Select(peer => peer.ToString()), peer => peer == other.Id);
    }

    protected KuboClient Client(TimeSpan? pinTimeout = null) => Client(Daemon, pinTimeout ?? TimeSpan.FromMinutes(2));

    private static KuboClient Client(IpfsDaemon daemon, TimeSpan pinTimeout) =>
        new(new KuboOptions { Address = DaemonAddress.Parse(daemon.ApiMultiaddress), PinTimeout = pinTimeout });
}

public sealed class KuboLikeDaemonTests(IpfsDaemonFixture fixture) : RealDaemonTests(fixture), IClassFixture<IpfsDaemonFixture>
{
    [Fact]
    public async Task A_cancelled_pin_stops_at_the_daemon()
    {
        await using var client = Client();
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            client.PinAsync(new DaemonPinRequest { Cid = BlockStreamTests.Blocks(1, "cancelled")[0].Cid }, null, cancel.Token));
        await client.IdAsync();
    }

    [Fact]
    public async Task A_daemon_that_was_killed_is_used_again_when_it_is_back()
    {
        await using var daemon = await IpfsDaemon.StartAsync();
        await using var client = new KuboClient(new KuboOptions { Address = DaemonAddress.Parse(daemon.ApiMultiaddress) });
        await client.IdAsync();
        var pin = client.PinAsync(new DaemonPinRequest { Cid = BlockStreamTests.Blocks(1, "killed")[0].Cid });
        await Task.Delay(700);
        await daemon.KillAsync();
        await Assert.ThrowsAnyAsync<KuboException>(() => pin);
        await Assert.ThrowsAsync<DaemonUnreachableException>(() => client.IdAsync());
        await daemon.RestartAsync();
        Assert.Equal(daemon.Id, (await client.IdAsync()).Id.ToString());
    }

    [Fact]
    public async Task Garbage_is_collected_and_named()
    {
        await using var daemon = await IpfsDaemon.StartAsync();
        await using var client = new KuboClient(new KuboOptions { Address = DaemonAddress.Parse(daemon.ApiMultiaddress) });
        var blocks = BlockStreamTests.Blocks(5, "garbage");
        await BlockStreamTests.DrainAsync(client.PutBlocksAsync(blocks.ToAsyncEnumerable()));
        var removed = await client.RepoGcAsync().ToListAsync();
        Assert.Superset(
            blocks.Select(block => Convert.ToHexString(block.Cid.Multihash.Bytes)).ToHashSet(),
            removed.Where(item => item.Key != null).Select(item => Convert.ToHexString(item.Key!.Value.Multihash.Bytes)).ToHashSet());
    }
}

public sealed class PlainDaemonTests(PlainIpfsDaemonFixture fixture) : RealDaemonTests(fixture), IClassFixture<PlainIpfsDaemonFixture>;
