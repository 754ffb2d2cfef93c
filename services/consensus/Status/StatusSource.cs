using System.Threading.Channels;
using Cluster.Consensus.Clients;
using Cluster.Consensus.Services;
using Google.Protobuf;
using Libp2p;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Status;

/// <summary>
/// One peer's stream in a merge. Pages are read ahead by a task of its own, so that peers work side by side; what waits is bounded, and a
/// full queue holds the peer back.
/// </summary>
internal sealed class StatusSource : IAsyncDisposable
{
    private const int PagesAhead = 4;

    private readonly Channel<StatusPage> _pages = Channel.CreateBounded<StatusPage>(
        new BoundedChannelOptions(PagesAhead) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true, SingleWriter = true });

    private readonly CancellationTokenSource _stopping;
    private readonly Task _reading;
    private readonly V1.PinInfo _known;
    private byte[] _identity;
    private byte[] _reported = [];
    private ReadOnlyMemory<byte> _page;
    private int _next;
    private Range _item;
    private Range _cid;
    private ReadOnlyMemory<byte> _previousCid;

    /// <param name="peer">Whose stream it is.</param>
    /// <param name="known">Who the peer is, as its last ping told.</param>
    /// <param name="open">Opens the stream.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal StatusSource(PeerId peer, V1.PinInfo known, Func<CancellationToken, IAsyncEnumerable<StatusPage>> open, CancellationToken cancellationToken)
    {
        Peer = peer;
        _known = known;
        _identity = known.ToByteArray();
        _stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _reading = ReadAsync(open, _stopping.Token);
    }

    internal PeerId Peer { get; }

    /// <summary>Whether nothing more comes.</summary>
    internal bool Ended { get; private set; }

    /// <summary>Why it ended too early.</summary>
    internal ClusterException? Failure { get; private set; }

    /// <summary>Whether the peer refused because it does not trust us; it is left out then (spec/peer-rpc.md 1).</summary>
    internal bool IsLeftOut => Failure?.Kind == ClusterErrorKind.NotTrusted;

    /// <summary>Whether an item is there.</summary>
    internal bool AtHand { get; private set; }

    /// <summary>Whether the next page is there already.</summary>
    internal bool IsBuffered => _pages.Reader.Count > 0;

    /// <summary>The item, a <c>PinInfo</c> in wire form.</summary>
    internal ReadOnlySpan<byte> Item => _page.Span[_item];

    /// <summary>Its CID.</summary>
    internal ReadOnlySpan<byte> Cid => _page.Span[_cid];

    /// <summary>Whether the item is told to be in the pinset.</summary>
    internal bool IsInPinset { get; private set; }

    /// <summary>Waits for the next item, or the end.</summary>
    internal async ValueTask FillAsync()
    {
        try
        {
            while (!AtHand && !Ended)
            {
                if (!await _pages.Reader.WaitToReadAsync())
                {
                    Ended = true;
                    await _reading;
                    return;
                }

                if (!_pages.Reader.TryRead(out var page))
                    continue;
                _page = page.Message;
                _next = 0;
                Advance();
            }
        }
        catch (Exception e) when (!_stopping.IsCancellationRequested)
        {
            // Whatever it is that keeps this peer from being listed, the others are listed without it.
            Fail(e);
        }
    }

    /// <summary>Goes to the page's next item; when it is damaged or out of order, that is the source's end.</summary>
    internal void Advance()
    {
        try
        {
            Step();
        }
        catch (Exception e) when (e is ClusterException or FormatException)
        {
            Fail(e);
        }
    }

    /// <summary>Writes the item as the peer's entry of a global status. Who the peer is comes from its report, or else from its ping.</summary>
    internal void WriteEntry(RawMessage entry)
    {
        var item = Item;
        var fields = new WireFields(item);
        while (fields.Next())
        {
            // A report that names the daemon brings all that is to be known of its peer.
            if (fields.Field != 5)
                continue;
            if (!fields.Content.SequenceEqual(_reported))
                Identify(item, fields.Content);
            break;
        }

        entry.Raw(_identity);
        StatusParts.WriteOwn(item, entry);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        while (_pages.Reader.TryRead(out _))
        {
            // Room for a writer that waits.
        }

        // A failure that matters was seen when the end was read (FillAsync); whoever did not read so far has no use for the stream.
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
    }

    private void Fail(Exception e)
    {
        Ended = true;
        AtHand = false;
        Failure = e as ClusterException ?? new ClusterException(ClusterErrorKind.Internal, e.Message, e);
    }

    private void Step()
    {
        _previousCid = AtHand ? _page[_cid] : _previousCid;
        AtHand = false;
        var rest = _page.Span[_next..];
        var fields = new WireFields(rest);
        while (fields.Next())
        {
            var start = _next;
            _next += fields.Whole.Length;
            if (fields.Field != 1)
                continue;
            _item = (start + fields.Whole.Length - fields.Content.Length)..(start + fields.Whole.Length);
            Look();
            AtHand = true;
            return;
        }
    }

    private async Task ReadAsync(Func<CancellationToken, IAsyncEnumerable<StatusPage>> open, CancellationToken cancellationToken)
    {
        await Task.Yield();
        try
        {
            await foreach (var page in open(cancellationToken).WithCancellation(cancellationToken))
                await _pages.Writer.WriteAsync(page, cancellationToken);
        }
        finally
        {
            _pages.Writer.Complete();
        }
    }

    private void Look()
    {
        IsInPinset = false;
        _cid = default;
        var item = Item;
        var at = _item.Start.Value;
        var fields = new WireFields(item);
        while (fields.Next())
        {
            if (fields.Field == 1)
            {
                item.Overlaps(fields.Content, out var offset);
                _cid = (at + offset)..(at + offset + fields.Content.Length);
            }
            else if (fields.Field == 16)
            {
                IsInPinset = fields.Number != 0;
            }
        }

        if (Cid.IsEmpty)
            throw new ClusterException(ClusterErrorKind.Internal, $"{Peer} lists a status without a CID");
        if (Cid.SequenceCompareTo(_previousCid.Span) <= 0)
            throw new ClusterException(ClusterErrorKind.Internal, $"the list of {Peer} is out of order");
    }

    private void Identify(ReadOnlySpan<byte> item, ReadOnlySpan<byte> daemon)
    {
        var report = V1.PinInfo.Parser.ParseFrom(item);
        var identity = new V1.PinInfo
        {
            Peer = _known.Peer,
            PeerName = report.PeerName.Length > 0 ? report.PeerName : _known.PeerName,
            IpfsPeerId = report.IpfsPeerId,
        };
        identity.IpfsPeerAddresses.Add(report.IpfsPeerAddresses.Count > 0 || report.IpfsPeerId != _known.IpfsPeerId
            ? report.IpfsPeerAddresses
            : _known.IpfsPeerAddresses);
        _identity = identity.ToByteArray();
        _reported = daemon.ToArray();
    }
}
