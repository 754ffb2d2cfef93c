using System.Runtime.CompilerServices;
using Cluster.Consensus.Clients;
using Cluster.Consensus.Services;
using Cluster.PeerRpc;
using Cluster.PeerRpc.Msgpack;
using Cluster.PeerRpc.Streams;
using Ipld;
using Libp2p;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Rpc;

/// <summary>The tracker of another peer. Sequence numbers mean nothing there and are not sent.</summary>
internal sealed class RemoteTracker(PeerId peer, PeerCalls calls, TimeProvider clock) : ITracker
{
    /// <summary>A peer that knows only the original's methods is asked for no others for so long; by then it may run another version.</summary>
    private static readonly TimeSpan Remembered = TimeSpan.FromMinutes(10);

    private static readonly ServiceId StatusMethod = new("PinTracker", "Status");
    private static readonly ServiceId RecoverMethod = new("PinTracker", "Recover");
    private static readonly ServiceId StatusAllMethod = new("PinTracker", "StatusAll");
    private static readonly ServiceId RecoverAllMethod = new("Cluster", "RecoverAllLocal");

    private readonly StatusLine _line = new(peer, calls, clock);

    // When the peer last said that it knows nothing beyond the original's methods; 0: never.
    private long _originalSince;

    /// <inheritdoc/>
    public async ValueTask<V1.PinInfo> StatusAsync(Cid cid, ulong atLeastSequence, CancellationToken cancellationToken)
    {
        if (!IsKnownOriginal())
        {
            try
            {
                return await _line.AskAsync(cid, cancellationToken);
            }
            catch (ClusterException e) when (e.Kind == ClusterErrorKind.Unimplemented)
            {
                RememberOriginal();
            }
        }

        return await calls.CallAsync(peer, StatusMethod, writer => writer.Cid(cid), ReadStatus, null, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<V1.PinInfo> RecoverAsync(Cid cid, ulong atLeastSequence, CancellationToken cancellationToken) =>
        calls.CallAsync(peer, RecoverMethod, writer => writer.Cid(cid), ReadStatus, null, cancellationToken);

    /// <inheritdoc/>
    public async IAsyncEnumerable<StatusPage> StatusAllAsync(
        int statusMask, ulong atLeastSequence, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (!IsKnownOriginal())
        {
            await using var sorted = PagesAsync(TrackerMethods.SortedStatusAll, writer => writer.Signed(statusMask), cancellationToken)
                .GetAsyncEnumerator(cancellationToken);
            if (await MoveNextAsync(sorted) is { } any)
            {
                for (; any; any = await sorted.MoveNextAsync())
                    yield return sorted.Current;
                yield break;
            }

            RememberOriginal();
        }

        var pages = PagesAsync(StatusAllMethod, writer => writer.Signed(statusMask), cancellationToken);
        await foreach (var page in SortedPages.OfAsync(pages, cancellationToken))
            yield return page;
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<StatusPage> RecoverAllAsync(ulong atLeastSequence, CancellationToken cancellationToken) =>
        SortedPages.OfAsync(PagesAsync(RecoverAllMethod, null, cancellationToken), cancellationToken);

    private static V1.PinInfo ReadStatus(ref MsgpackReader reader)
    {
        using var row = new StatusRowReader();
        return V1.PinInfo.Parser.ParseFrom(row.Read(ref reader));
    }

    /// <summary>The first page; null when the peer knows no sorted list.</summary>
    private static async ValueTask<bool?> MoveNextAsync(IAsyncEnumerator<StatusPage> pages)
    {
        try
        {
            return await pages.MoveNextAsync();
        }
        catch (ClusterException e) when (e.Kind == ClusterErrorKind.Unimplemented)
        {
            return null;
        }
    }

    private void RememberOriginal() => Volatile.Write(ref _originalSince, Math.Max(1, clock.GetTimestamp()));

    private bool IsKnownOriginal() => Volatile.Read(ref _originalSince) is var since and not 0 && clock.GetElapsedTime(since) < Remembered;

    private async IAsyncEnumerable<StatusPage> PagesAsync(
        ServiceId method, Action<MsgpackWriter>? argument, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var collector = new PageCollector();
        await foreach (var page in calls.ListAsync(peer, method, argument, collector, null, cancellationToken))
            yield return page;
    }

    /// <summary>Pages of statuses in the form of the tracker's own.</summary>
    private sealed class PageCollector : IReplyCollector<StatusPage>, IDisposable
    {
        private const int MaxItems = 512;
        private const int MaxBytes = 256 << 10;

        private readonly StatusRowReader _row = new();
        private readonly RawMessage _page = new(64 << 10);

        public int Count { get; private set; }

        public bool IsFull => Count >= MaxItems || _page.Length >= MaxBytes;

        public void Add(ref MsgpackReader value)
        {
            _page.Field(1, _row.Read(ref value));
            Count++;
        }

        public StatusPage Take()
        {
            var page = new StatusPage(_page.Span.ToArray());
            _page.Clear();
            Count = 0;
            return page;
        }

        public void Dispose()
        {
            _row.Dispose();
            _page.Dispose();
        }
    }
}
