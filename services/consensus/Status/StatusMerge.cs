using Cluster.Consensus.Clients;
using Google.Protobuf.Collections;
using Libp2p;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Status;

/// <summary>
/// Merges the sorted streams of several peers into one of global statuses. One batch of each peer is held at a time.
/// </summary>
internal sealed class StatusMerge(StatusReports reports, int mask) : IAsyncDisposable
{
    private readonly List<Source> _sources = [];

    /// <summary>Whether the next item can be made without waiting for a peer.</summary>
    internal bool HasMoreAtHand => _sources.TrueForAll(s => s.Ended || s.AtHand);

    internal void Add(PeerId peer, Func<IAsyncEnumerable<StatusPage>> open, CancellationToken cancellationToken) =>
        _sources.Add(new Source(peer, open, cancellationToken));

    /// <summary>The status of the next CID; null at the end.</summary>
    /// <exception cref="ClusterException">All peers failed; the text of the first.</exception>
    internal async ValueTask<V1.GlobalPinInfo?> NextAsync()
    {
        foreach (var source in _sources)
            await source.FillAsync();
        if (_sources.TrueForAll(s => s.Failure is not null))
            throw _sources[0].Failure!;

        var lowest = Lowest();
        if (lowest is null)
            return null;
        var cid = lowest.Current.Cid;
        var global = StatusReports.Begin(lowest.Current);
        foreach (var source in _sources)
        {
            if (source.AtHand && source.Current.Cid.Equals(cid))
            {
                var report = source.Current;
                source.Advance();
                global.Peers.Add(reports.Entry(source.Peer, report));
            }
            else if (source.Failure is { } failure && Holds(global, source.Peer) && Shows(V1.TrackerStatus.ClusterError))
            {
                global.Peers.Add(reports.Made(source.Peer, V1.TrackerStatus.ClusterError, failure.Message));
            }
        }

        return global;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var source in _sources)
            await source.DisposeAsync();
    }

    private bool Shows(V1.TrackerStatus status) => mask == 0 || ((int)status & mask) != 0;

    private static bool Holds(V1.GlobalPinInfo global, PeerId peer)
    {
        if (global.Allocations.Count == 0)
            return true;
        foreach (var allocation in global.Allocations)
        {
            if (allocation.Span.SequenceEqual(peer.Bytes))
                return true;
        }

        return false;
    }

    private Source? Lowest()
    {
        Source? lowest = null;
        foreach (var source in _sources)
        {
            if (source.AtHand && (lowest is null || source.Current.Cid.Span.SequenceCompareTo(lowest.Current.Cid.Span) < 0))
                lowest = source;
        }

        return lowest;
    }

    private sealed class Source(PeerId peer, Func<IAsyncEnumerable<StatusPage>> open, CancellationToken cancellationToken)
        : IAsyncDisposable
    {
        private IAsyncEnumerator<StatusPage>? _stream;
        private RepeatedField<V1.PinInfo> _batch = [];
        private int _next;

        public PeerId Peer { get; } = peer;

        public bool Ended { get; private set; }

        public Exception? Failure { get; private set; }

        public bool AtHand => _next < _batch.Count;

        public V1.PinInfo Current => _batch[_next];

        public void Advance() => _next++;

        public async ValueTask FillAsync()
        {
            try
            {
                while (!AtHand && !Ended)
                {
                    _stream ??= open().GetAsyncEnumerator(cancellationToken);
                    Ended = !await _stream.MoveNextAsync();
                    if (Ended)
                        return;
                    _batch = _stream.Current.Decode().Items;
                    _next = 0;
                }
            }
            catch (ClusterException e)
            {
                Ended = true;
                Failure = e;
            }
        }

        public ValueTask DisposeAsync() => _stream?.DisposeAsync() ?? ValueTask.CompletedTask;
    }
}
