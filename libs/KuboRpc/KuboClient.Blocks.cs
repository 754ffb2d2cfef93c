using System.Runtime.CompilerServices;
using Ipld;
using KuboRpc.Blocks;
using KuboRpc.Http;

namespace KuboRpc;

public sealed partial class KuboClient
{
    /// <summary>Largest block read from a daemon; Kubo's own limit is 2 MiB unless told otherwise.</summary>
    public const int MaxBlockSize = 16 * 1024 * 1024;

    // A request is closed at these sizes, so that no more than this is kept to be sent again.
    private const int MaxBlocksOfOneRequest = 256;
    private const int MaxBytesOfOneRequest = 8 * 1024 * 1024;

    // Whether the daemon turned out to keep only the last part of a request (plain JS-IPFS).
    private volatile bool _oneBlockEach;

    /// <summary>A block's bytes. They are not verified: the daemon is this peer's own.</summary>
    public async Task<byte[]> GetBlockAsync(Cid cid, CancellationToken cancellationToken = default)
    {
        using var limit = _transport.Limit(_options.RequestTimeout, cancellationToken);
        using var answer = await _transport.PostAsync($"block/get?arg={cid}", limit);
        return await answer.ReadBytesAsync(MaxBlockSize);
    }

    /// <summary>
    /// Writes blocks as they come, in requests of many blocks, and tells how many the daemon has acknowledged since the last time. A
    /// block counts only when the daemon answered with its hash; a daemon that cannot take many blocks at once gets them one by one.
    /// Blocks go out without delay; they are acknowledged when a request is full or nothing comes for <see cref="KuboOptions.BlockIdle"/>.
    /// </summary>
    /// <exception cref="EmptyBlockStreamException">There was no block.</exception>
    public async IAsyncEnumerable<int> PutBlocksAsync(
        IAsyncEnumerable<DaemonBlock> blocks, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(blocks);
        // Also stops the caller's enumeration when a request fails half way.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using var source = new BlockSource(blocks.GetAsyncEnumerator(stop.Token), _time, stop.Token);
        var good = false;
        try
        {
            if (!await source.PeekAsync())
                throw new EmptyBlockStreamException();
            _observer.BlockStreamOpened();
            do
            {
                yield return _oneBlockEach ? await PutOneAsync(source, cancellationToken) : await PutManyAsync(source, cancellationToken);
            }
            while (await source.PeekAsync());
            good = true;
        }
        finally
        {
            if (!good)
                _observer.BlockStreamFailed();
            _observer.BlockStreamEnded();
            await stop.CancelAsync();
        }
    }

    private async Task<int> PutOneAsync(BlockSource source, CancellationToken cancellationToken)
    {
        var block = source.Current;
        source.Take();
        await PutSingleAsync(block, cancellationToken);
        return 1;
    }

    private async Task<int> PutManyAsync(BlockSource source, CancellationToken cancellationToken)
    {
        var pending = new PendingBlocks();
        var format = BlockFormat.Of(source.Current.Cid);
        // No limit of the whole (spec/behaviour.md 16.1): as long as blocks go out or are acknowledged, all is well.
        using var limit = _transport.Limit(_options.RequestTimeout, cancellationToken);
        using var content = new MultipartBlocks(async sink =>
        {
            do
            {
                var block = source.Current;
                pending.Sent(block);
                source.Take();
                await sink(block, source.IsReady);
                limit.Progressed();
            }
            while (await MoreForThisRequestAsync(source, pending, format));
        });
        try
        {
            using var answer = await _transport.PostStreamAsync(format.StreamTarget, content, limit);
            await ReadAcknowledgementsAsync(answer, pending);
        }
        finally
        {
            await content.Finished;
        }
        var missing = pending.Missing;
        if (missing.Count > 0 && pending.Count == 1)
            throw NotAcknowledged(missing[0]);
        foreach (var block in missing)
        {
            _oneBlockEach = true;
            await PutSingleAsync(block, cancellationToken);
        }
        return pending.Count;
    }

    private async Task ReadAcknowledgementsAsync(DaemonAnswer answer, PendingBlocks pending)
    {
        await foreach (var line in answer.ReadValuesAsync())
        {
            answer.Limit.Progressed();
            if (pending.Acknowledge(line) is { } block)
                _observer.BlockWritten(block.Data.Length);
        }
    }

    private async Task<bool> MoreForThisRequestAsync(BlockSource source, PendingBlocks pending, BlockFormat format) =>
        pending.Count < MaxBlocksOfOneRequest
        && pending.Bytes < MaxBytesOfOneRequest
        && await source.PeekAsync(_options.BlockIdle)
        && format.SharesRequestWith(BlockFormat.Of(source.Current.Cid));

    private async Task PutSingleAsync(DaemonBlock block, CancellationToken cancellationToken)
    {
        using var limit = _transport.Limit(_options.RequestTimeout, cancellationToken);
        using var answer = await _transport.PostAsync(BlockFormat.Of(block.Cid).SingleTarget, () => new MultipartBlocks(block), limit);
        var pending = new PendingBlocks();
        pending.Sent(block);
        await ReadAcknowledgementsAsync(answer, pending);
        if (pending.Missing.Count > 0)
            throw NotAcknowledged(block);
    }

    private static DaemonAnswerException NotAcknowledged(DaemonBlock block) =>
        new($"the daemon did not acknowledge the block {block.Cid}");
}
