using System.Runtime.CompilerServices;
using Cluster.Consensus.Clients;
using Cluster.Consensus.Services;

namespace Cluster.Consensus.Rpc;

/// <summary>
/// Puts a peer's statuses in the order of their CIDs. A peer of the original lists in the order of its datastore, which is that of base32
/// text and another one than that of bytes; merging needs all peers in the same order. Rows are sorted in runs of bounded size, which wait
/// in a temporary file when they are more than one.
/// </summary>
internal static class SortedPages
{
    /// <summary>Bytes of a run: what a list costs in memory.</summary>
    internal const int RunBytes = 16 << 20;

    /// <summary>Bytes that a peer may list, and make us keep on disk: 20 million pins of the usual size.</summary>
    internal const long MaxBytes = 8L << 30;

    private const int PageItems = 512;

    /// <summary>The same items, sorted. Of items with the same CID the one that came last remains.</summary>
    /// <exception cref="ClusterException">The peer lists more than anyone keeps, or what it lists is damaged.</exception>
    internal static async IAsyncEnumerable<StatusPage> OfAsync(
        IAsyncEnumerable<StatusPage> pages, [EnumeratorCancellation] CancellationToken cancellationToken, int runBytes = RunBytes)
    {
        var run = new StatusRun();
        using var spilled = new SpilledRuns();
        long total = 0;
        await foreach (var page in pages.WithCancellation(cancellationToken))
        {
            run.Add(page.Message);
            total += page.Message.Length;
            if (total > MaxBytes)
                throw new ClusterException(ClusterErrorKind.ResourceExhausted, $"the peer lists more than {MaxBytes} bytes");
            if (run.Bytes < runBytes)
                continue;
            await spilled.AddAsync(run, cancellationToken);
            run = new StatusRun();
        }

        using var message = new RawMessage(64 << 10);
        var count = 0;
        foreach (var item in spilled.Count == 0 ? run.Sorted() : spilled.Merge(run))
        {
            message.Field(1, item.Span);
            if (++count < PageItems)
                continue;
            cancellationToken.ThrowIfCancellationRequested();
            yield return new StatusPage(message.Span.ToArray());
            message.Clear();
            count = 0;
        }

        if (count > 0)
            yield return new StatusPage(message.Span.ToArray());
    }
}
