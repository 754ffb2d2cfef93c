using Libp2p.Pubsub;

namespace Libp2p.Tests.Pubsub;

public sealed class GossipsubCoreTests
{
    private const string Topic = "topic";
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch;
    private readonly PrivateKey ownKey = PrivateKey.GenerateEd25519();

    [Fact]
    public void A_graft_inside_a_backoff_is_refused_with_a_prune_that_names_nobody()
    {
        var core = NewCore();
        var peer = Connect(core, "/meshsub/1.1.0");
        var output = new GossipsubOutput();
        core.Receive(peer, Frame(rpc => rpc.Prune.Add(new Prune(Topic, [], 4))), Now, output);
        Assert.Empty(core.MeshOf(Topic));
        output = new GossipsubOutput();
        core.Receive(peer, Frame(rpc => rpc.Graft.Add(Topic)), Now.AddSeconds(1), output);
        var prune = Assert.Single(Assert.Single(output.Frames).Rpc.Prune);
        Assert.Equal(60ul, prune.BackoffSeconds);
        Assert.Empty(prune.Peers);
        Assert.Empty(core.MeshOf(Topic));
    }

    [Fact]
    public void A_peer_that_left_the_topic_and_is_started_again_is_taken_back_at_once()
    {
        var core = NewCore();
        var peer = Connect(core, "/meshsub/1.1.0");
        core.Receive(peer, Frame(rpc => rpc.Prune.Add(new Prune(Topic, [], 10))), Now, new GossipsubOutput());
        core.ForgetPeer(peer);

        core.AddPeer(peer, "/meshsub/1.1.0", false, Now.AddSeconds(2), new GossipsubOutput());
        var output = new GossipsubOutput();
        core.Receive(peer, Frame(rpc => rpc.Subscriptions.Add(new SubscriptionChange(Topic, true))), Now.AddSeconds(2), output);
        core.Receive(peer, Frame(rpc => rpc.Graft.Add(Topic)), Now.AddSeconds(2), output);
        Assert.Equal([peer], core.MeshOf(Topic));
        Assert.DoesNotContain(output.Frames, frame => frame.Rpc.Prune.Count > 0);
    }

    [Fact]
    public void A_peer_that_was_pruned_here_stays_out_although_it_reconnects()
    {
        var core = NewCore();
        var peer = Connect(core, "/meshsub/1.1.0");
        core.Receive(peer, Frame(rpc => rpc.Prune.Add(new Prune(Topic, [], 10))), Now, new GossipsubOutput());
        // Refused, and put off for a minute by us.
        core.Receive(peer, Frame(rpc => rpc.Graft.Add(Topic)), Now, new GossipsubOutput());
        core.ForgetPeer(peer);
        core.AddPeer(peer, "/meshsub/1.1.0", false, Now.AddSeconds(20), new GossipsubOutput());
        core.Receive(peer, Frame(rpc => rpc.Subscriptions.Add(new SubscriptionChange(Topic, true))), Now.AddSeconds(20), new GossipsubOutput());
        Assert.Empty(core.MeshOf(Topic));
    }

    [Fact]
    public void A_graft_of_somebody_who_does_not_subscribe_is_not_taken()
    {
        var core = NewCore();
        var peer = PrivateKey.GenerateEd25519().PeerId;
        core.AddPeer(peer, "/meshsub/1.1.0", false, Now, new GossipsubOutput());
        core.Receive(peer, Frame(rpc => rpc.Graft.Add(Topic)), Now, new GossipsubOutput());
        Assert.Empty(core.MeshOf(Topic));
    }

    [Fact]
    public void A_large_message_is_announced_to_mesh_peers_that_understand_it_before_it_is_checked()
    {
        var core = NewCore();
        var (sender, knows, old) = (Connect(core, "/meshsub/1.2.0"), Connect(core, "/meshsub/1.2.0"), Connect(core, "/meshsub/1.1.0"));
        var message = PubsubMessage.Create(PrivateKey.GenerateEd25519(), Topic, new byte[2000], 1);
        var output = new GossipsubOutput();
        core.Receive(sender, Frame(rpc => rpc.Publish.Add(message)), Now, output);
        var (peer, frame) = Assert.Single(output.Frames);
        Assert.Equal(knows, peer);
        Assert.NotEqual(old, peer);
        Assert.Single(frame.IDontWant);
    }

    [Fact]
    public void A_message_is_served_to_one_peer_three_times_and_no_more()
    {
        var core = NewCore();
        var peer = Connect(core, "/meshsub/1.1.0");
        var message = PubsubMessage.Create(ownKey, Topic, "x"u8.ToArray(), 1);
        core.Publish(message, Now, new GossipsubOutput());
        var output = new GossipsubOutput();
        for (var i = 0; i < 5; i++) core.Receive(peer, Frame(rpc => rpc.IWant.Add(MessageId.Standard(message))), Now, output);
        Assert.Equal(3, output.Frames.Count);
    }

    [Fact]
    public void A_mesh_that_is_too_large_is_cut_down_and_the_cut_off_hear_of_others()
    {
        var core = NewCore();
        for (var i = 0; i < 30; i++)
        {
            var peer = Connect(core, "/meshsub/1.1.0", outbound: i % 10 == 0);
            core.Receive(peer, Frame(rpc => rpc.Graft.Add(Topic)), Now, new GossipsubOutput());
        }
        var output = new GossipsubOutput();
        core.Heartbeat(Now.AddSeconds(1), output);
        Assert.InRange(core.MeshOf(Topic).Count, 5, 12);
        foreach (var prune in output.Frames.SelectMany(frame => frame.Rpc.Prune)) Assert.NotEmpty(prune.Peers);
    }

    [Fact]
    public void A_flood_of_offers_is_answered_up_to_a_limit()
    {
        var core = NewCore();
        var peer = Connect(core, "/meshsub/1.1.0");
        var output = new GossipsubOutput();
        for (var i = 0; i < 50; i++)
            core.Receive(peer, Frame(rpc => rpc.IHave.Add(new IHave(Topic, [.. Enumerable.Range(0, 1000).Select(n => new MessageId(BitConverter.GetBytes((i * 1000) + n)))]))), Now, output);
        Assert.Equal(5000, output.Frames.Sum(frame => frame.Rpc.IWant.Count));
    }

    [Fact]
    public void A_topic_only_published_to_reaches_its_subscribers_by_fanout_until_that_expires()
    {
        var core = new GossipsubCore(ownKey.PeerId, new GossipsubOptions(), new Random(3));
        var peer = Connect(core, "/meshsub/1.1.0");
        var output = new GossipsubOutput();
        Assert.Equal(1, core.Publish(PubsubMessage.Create(ownKey, Topic, "x"u8.ToArray(), 1), Now, output));
        Assert.Equal(peer, Assert.Single(output.Frames).Peer);
        Assert.Empty(output.Deliveries);
        core.Heartbeat(Now.AddMinutes(2), output);
        Assert.Equal(1, core.Publish(PubsubMessage.Create(ownKey, Topic, "x"u8.ToArray(), 2), Now.AddMinutes(2), output));
    }

    private static PubsubRpc Frame(Action<PubsubRpc> fill)
    {
        var rpc = new PubsubRpc();
        fill(rpc);
        return rpc;
    }

    private static PeerId Connect(GossipsubCore core, string protocol, bool outbound = false)
    {
        var peer = PrivateKey.GenerateEd25519().PeerId;
        core.AddPeer(peer, protocol, outbound, Now, new GossipsubOutput());
        core.Receive(peer, Frame(rpc => rpc.Subscriptions.Add(new SubscriptionChange(Topic, true))), Now, new GossipsubOutput());
        return peer;
    }

    private GossipsubCore NewCore()
    {
        var core = new GossipsubCore(ownKey.PeerId, new GossipsubOptions(), new Random(7));
        core.Subscribe(Topic, Now, new GossipsubOutput());
        return core;
    }
}
