using System.Text;
using System.Text.Json.Nodes;
using Libp2p.Pubsub;
using Libp2p.Testing;
using Xunit;

namespace Libp2p.Tests.Pubsub;

/// <summary>What a hostile peer may send over a real connection.</summary>
public sealed class HostileGossipTests
{
    private const string Topic = "monitor.metrics";

    private static readonly GossipsubOptions Options = new() { MessageIdOf = MessageId.ShortAuthor(16), HeartbeatInterval = TimeSpan.FromMilliseconds(200) };

    /// <summary>A victim, a friend that gossips with it, and an open stream of an enemy.</summary>
    private static async Task WithAttackAsync(Func<PeerConnection, PeerStream, TestLog, Task> attack)
    {
        var log = new TestLog();
        await using var victim = await TestHosts.StartAsync(log: log);
        await using var friend = await TestHosts.StartAsync();
        await using var enemy = await TestHosts.StartAsync();
        await using var ours = new Gossipsub(victim, Options, log);
        await using var theirs = new Gossipsub(friend, Options);
        using var heard = ours.Subscribe(Topic);
        using var _ = theirs.Subscribe(Topic);
        await friend.DialAsync(victim.Address());
        await TestHosts.EventuallyAsync(() => ours.MeshOf(Topic).Contains(friend.Id) && theirs.MeshOf(Topic).Contains(victim.Id), "no mesh");
        var connection = await enemy.DialAsync(victim.Address());
        await connection.Identified;
        var stream = await connection.NewStreamAsync(PubsubProtocols.All);
        await attack(connection, stream, log);
        // The others go on as if nothing had been.
        theirs.Publish(Topic, "still here"u8.ToArray());
        Assert.Equal("still here", Encoding.UTF8.GetString((await heard.Messages.ReadAsync(TestHosts.Deadline())).Data.Span));
        Assert.True(connection.IsOpen);
    }

    [Fact]
    [Trait("Category", "Golden")]
    public async Task Messages_that_end_the_original_are_refused_with_a_reason()
    {
        var faults = JsonNode.Parse(File.ReadAllText(Path.Combine(Golden.Folder, "libp2p", "behaviour.json")))!["faults"]!.AsArray()
            .Select(fault => fault!["rpc_hex"]?.GetValue<string>()).Where(hex => hex is not null).ToArray();
        Assert.NotEmpty(faults);
        await WithAttackAsync(async (_, stream, log) =>
        {
            foreach (string? hex in faults)
            {
                int before = log.Lines.Count(line => line.Id == 2102);
                stream.Output.WriteFrame(Convert.FromHexString(hex!));
                await stream.Output.FlushAsync();
                await TestHosts.EventuallyAsync(() => log.Lines.Count(line => line.Id == 2102) > before, $"no reason is logged\n{log}");
            }
        });
    }

    [Fact]
    public Task A_frame_that_is_too_long_or_no_protobuf_resets_the_stream() => WithAttackAsync(async (connection, stream, log) =>
    {
        await stream.Output.WriteAsync(new byte[] { 0x81, 0x80, 0x40 });
        await Assert.ThrowsAsync<StreamResetException>(async () => await stream.Input.ReadAllAsync(TestHosts.Deadline()));
        var second = await connection.NewStreamAsync(PubsubProtocols.All);
        await second.Output.WriteAsync(new byte[] { 0x03, 0xff, 0xff, 0xff });
        await Assert.ThrowsAsync<StreamResetException>(async () => await second.Input.ReadAllAsync(TestHosts.Deadline()));
        Assert.Equal(2, log.Lines.Count(line => line.Id == 2103));
    });

    [Fact]
    public Task A_flood_of_topics_offers_and_unsigned_messages_is_bounded() => WithAttackAsync(async (_, stream, _) =>
    {
        for (int i = 0; i < 20; i++)
        {
            var flood = new PubsubRpc();
            for (int k = 0; k < 5000; k++) flood.Subscriptions.Add(new SubscriptionChange($"topic {i} {k}", true));
            flood.IHave.Add(new IHave(Topic, [.. Enumerable.Range(0, 5000).Select(k => new MessageId(BitConverter.GetBytes(i * 5000 + k)))]));
            for (int k = 0; k < 1000; k++) flood.Graft.Add($"topic {k}");
            stream.Output.WriteFrame(flood.Encode());
            await stream.Output.FlushAsync(TestHosts.Deadline());
        }
    });
}
