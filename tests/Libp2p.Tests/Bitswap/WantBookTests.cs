using Ipld;
using Libp2p.Bitswap;
using Xunit;

namespace Libp2p.Tests.Bitswap;

/// <summary>Whom the client asks for what, and when.</summary>
public sealed class WantBookTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch;

    private readonly WantBook book = new(new BitswapOptions());
    private readonly PeerId[] peers = [.. Enumerable.Range(0, 3).Select(_ => PrivateKey.GenerateEd25519().PeerId)];
    private readonly Cid cid = CidPrefix.V1.Sum(Multicodec.Raw, [1, 2, 3]);

    private List<string> Do(Action<WantOutput> act)
    {
        var output = new WantOutput();
        act(output);
        return [.. output.Entries.Select(e => $"{Array.IndexOf(peers, e.Peer)} {(e.Entry.Cancel ? "cancel" : e.Entry.Type == WantType.Have ? "have?" : "block")}").Order()];
    }

    private void AddPeers(int count)
    {
        for (int i = 0; i < count; i++) Do(output => book.PeerAdded(peers[i], Start, output));
    }

    [Fact]
    public void Who_got_the_block_takes_nothing_from_one_that_wants_it_afterwards()
    {
        AddPeers(1);
        var (first, second) = (new SessionPeers(), new SessionPeers());
        Want? got = null, later = null;
        Do(o => got = book.Add(cid, first, Start, o));
        Do(o => Assert.Same(got, book.Block(peers[0], cid, o)));
        Do(o => later = book.Add(cid, second, Start, o));
        Assert.Empty(Do(o => book.Remove(got!, first, o)));
        Assert.True(book.Contains(cid));
        Do(o => Assert.Same(later, book.Block(peers[0], cid, o)));
    }

    [Fact]
    public void Without_a_hint_all_are_asked_and_one_that_has_it_for_the_block()
    {
        AddPeers(3);
        Assert.Equal(["0 have?", "1 have?", "2 have?"], Do(o => book.Add(cid, new SessionPeers(), Start, o)));
        Assert.Equal(["1 block"], Do(o => book.Presence(peers[1], new BlockPresence(cid, true), Start, o)));
        Assert.Empty(Do(o => book.Presence(peers[2], new BlockPresence(cid, true), Start, o)));
        // It turns out not to have it: the next one.
        Assert.Equal(["2 block"], Do(o => book.Presence(peers[1], new BlockPresence(cid, false), Start, o)));
        Assert.Equal(["0 cancel", "1 cancel"], Do(o => Assert.NotNull(book.Block(peers[2], cid, o))));
        Assert.Equal(0, book.Count);
    }

    [Fact]
    public void A_hinted_peer_is_asked_at_once_and_the_others_only_when_it_is_silent()
    {
        AddPeers(3);
        var session = new SessionPeers();
        session.Peers.Add(peers[1]);
        Assert.Equal(["1 block"], Do(o => book.Add(cid, session, Start, o)));
        Assert.Empty(Do(o => book.Tick(Start.AddMilliseconds(900), o)));
        Assert.Equal(["0 have?", "2 have?"], Do(o => book.Tick(Start.AddSeconds(1), o)));
        Assert.Empty(Do(o => book.Presence(peers[0], new BlockPresence(cid, true), Start.AddSeconds(2), o)));
        Assert.Equal(["0 block"], Do(o => book.Tick(Start.AddSeconds(5), o)));
    }

    [Fact]
    public void The_loss_of_the_peer_that_was_to_send_a_block_moves_the_want_to_another()
    {
        AddPeers(2);
        Do(o => book.Add(cid, new SessionPeers(), Start, o));
        Assert.Equal(["0 block"], Do(o => book.Presence(peers[0], new BlockPresence(cid, true), Start, o)));
        Do(o => book.Presence(peers[1], new BlockPresence(cid, true), Start, o));
        Assert.Equal(["1 block"], Do(o => book.PeerRemoved(peers[0], Start, o)));
    }

    [Fact]
    public void Wants_are_sent_again_after_half_a_minute()
    {
        AddPeers(1);
        Do(o => book.Add(cid, new SessionPeers(), Start, o));
        Assert.Empty(Do(o => book.Tick(Start.AddSeconds(29), o)));
        Assert.Equal(["0 have?"], Do(o => book.Tick(Start.AddSeconds(30), o)));
    }

    [Fact]
    public void An_answer_that_nobody_asked_for_changes_nothing()
    {
        AddPeers(1);
        Do(o => book.Add(cid, new SessionPeers(), Start, o));
        Assert.Empty(Do(o => book.Presence(peers[2], new BlockPresence(cid, true), Start, o)));
        Assert.Null(book.Block(peers[0], CidPrefix.V1.Sum(Multicodec.Raw, [9]), new WantOutput()));
        Assert.Equal(1, book.Count);
    }
}
