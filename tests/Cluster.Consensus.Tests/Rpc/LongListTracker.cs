using System.Runtime.CompilerServices;
using Cluster.Consensus.Clients;
using Google.Protobuf;
using Ipld;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Tests.Rpc;

/// <summary>A tracker with many pins of the usual size, listed in pages that are made beforehand.</summary>
internal sealed class LongListTracker(int count, bool everywhere = false) : ITracker
{
    private const int PageItems = 512;

    private readonly StatusPage[] _pages = [.. Pages(count, everywhere)];
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when it is asked for a list.</summary>
    public Task Begun => _begun.Task;

    public static Cid Cid(int number)
    {
        var bytes = new byte[36];
        bytes[0] = 1;
        bytes[1] = 0x55;
        bytes[2] = 0x12;
        bytes[3] = 32;
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(4), number);
        return Ipld.Cid.FromBytes(bytes);
    }

    public ValueTask<V1.PinInfo> StatusAsync(Cid cid, ulong atLeastSequence, CancellationToken cancellationToken) =>
        new(Row(System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(cid.Bytes[4..]), everywhere));

    public ValueTask<V1.PinInfo> RecoverAsync(Cid cid, ulong atLeastSequence, CancellationToken cancellationToken) => StatusAsync(cid, 0, cancellationToken);

    public async IAsyncEnumerable<StatusPage> StatusAllAsync(
        int statusMask, ulong atLeastSequence, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        _begun.TrySetResult();
        foreach (var page in _pages)
        {
            // As over a connection: a page is never there at once.
            await Task.Yield();
            yield return page;
        }
    }

    public IAsyncEnumerable<StatusPage> RecoverAllAsync(ulong atLeastSequence, CancellationToken cancellationToken) => StatusAllAsync(0, 0, cancellationToken);

    private static IEnumerable<StatusPage> Pages(int count, bool everywhere)
    {
        for (var from = 0; from < count;)
        {
            var to = Math.Min(count, from + (from == 0 ? 16 : PageItems));
            yield return FakeTracker.Page(Enumerable.Range(from, to - from).Select(n => Row(n, everywhere)));
            from = to;
        }
    }

    private static V1.PinInfo Row(int number, bool everywhere)
    {
        var row = FakeTracker.Report(Cid(number), V1.TrackerStatus.Pinned);
        row.Name = "a pin with a name";
        row.Created = new V1.Time { Seconds = 1_700_000_000 };
        row.Timestamp = new V1.Time { Seconds = 1_700_000_000 + number, Nanos = 5 };
        row.InPinset = true;
        if (!everywhere)
            row.Allocations.Add(Allocations);
        return row;
    }

    private static readonly ByteString[] Allocations = [.. Enumerable.Range(1, 3).Select(n => ByteString.CopyFrom(Peer.Id(n).Bytes))];
}
