using Cluster.Consensus.Clients;
using Cluster.Consensus.Services;
using Google.Protobuf;
using Libp2p;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Status;

/// <summary>
/// Merges the sorted streams of several peers into one of global statuses, without decoding them. A few pages of each peer are held at a
/// time. A peer that fails is an entry of each CID from then on, whatever the filter, as the original shows it; one that does not trust
/// this peer is left out.
/// </summary>
internal sealed class StatusMerge(StatusReports reports) : IAsyncDisposable
{
    private readonly List<StatusSource> _sources = [];
    private readonly RawMessage _global = new(1024);
    private readonly RawMessage _entry = new(512);
    private readonly Dictionary<StatusSource, byte[]> _failed = [];

    /// <summary>Whether the next item can be made without waiting for a peer.</summary>
    internal bool HasMoreAtHand => _sources.TrueForAll(s => s.Ended || s.AtHand || s.IsBuffered);

    /// <summary>Adds a peer; its stream is opened at once.</summary>
    internal void Add(PeerId peer, Func<CancellationToken, IAsyncEnumerable<StatusPage>> open, CancellationToken cancellationToken) =>
        _sources.Add(new StatusSource(peer, reports.IdentityOf(peer), open, cancellationToken));

    /// <summary>Adds the global status of the next CID to a message of <c>repeated GlobalPinInfo items = 1</c>.</summary>
    /// <returns>False at the end.</returns>
    /// <exception cref="ClusterException">All peers failed; the text of the first.</exception>
    internal async ValueTask<bool> NextAsync(RawMessage batch)
    {
        foreach (var source in _sources)
        {
            if (!source.AtHand && !source.Ended)
                await source.FillAsync();
        }

        if (_sources.TrueForAll(s => s.Failure is not null))
            throw _sources.Find(s => !s.IsLeftOut)?.Failure ?? _sources[0].Failure!;
        return Merge(batch);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var source in _sources)
            await source.DisposeAsync();
        _global.Dispose();
        _entry.Dispose();
    }

    private bool Merge(RawMessage batch)
    {
        StatusSource? lowest = null;
        foreach (var source in _sources)
        {
            if (source.AtHand && (lowest is null || source.Cid.SequenceCompareTo(lowest.Cid) < 0))
                lowest = source;
        }

        if (lowest is null)
            return false;
        var cid = lowest.Cid;
        _global.Clear();
        var first = BestOf(cid, lowest);
        StatusParts.WriteShared(first.Item, _global);
        foreach (var source in _sources)
        {
            if (source.AtHand && source.Cid.SequenceEqual(cid))
            {
                _entry.Clear();
                source.WriteEntry(_entry);
                _global.Field(7, _entry.Span);
            }
            else if (source is { Failure: not null, IsLeftOut: false })
            {
                _global.Field(7, FailedEntryOf(source));
            }
        }

        batch.Field(1, _global.Span);
        foreach (var source in _sources)
        {
            if (source != lowest && source.AtHand && source.Cid.SequenceEqual(cid))
                source.Advance();
        }

        lowest.Advance();
        return true;
    }

    /// <summary>The report that what all peers share is taken from: one that knows the pin, not one that failed (spec/behaviour.md 14).</summary>
    private StatusSource BestOf(ReadOnlySpan<byte> cid, StatusSource lowest)
    {
        foreach (var source in _sources)
        {
            if (source.AtHand && source.IsInPinset && source.Cid.SequenceEqual(cid))
                return source;
        }

        return lowest;
    }

    private byte[] FailedEntryOf(StatusSource source)
    {
        if (!_failed.TryGetValue(source, out var entry))
            _failed[source] = entry = reports.Made(source.Peer, V1.TrackerStatus.ClusterError, source.Failure!.Message).ToByteArray();
        return entry;
    }
}
