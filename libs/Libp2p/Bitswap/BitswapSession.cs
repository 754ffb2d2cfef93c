using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Ipld;

namespace Libp2p.Bitswap;

/// <summary>
/// Fetches blocks that belong together, such as those of one DAG: peers that had one of them are the first to be asked for the next,
/// the work shared among them. Any number of calls at a time.
/// </summary>
public sealed class BitswapSession
{
    private readonly BitswapExchange exchange;
    private readonly SessionPeers peers = new();

    internal BitswapSession(BitswapExchange exchange, IEnumerable<PeerId> announcedBy)
    {
        this.exchange = exchange;
        peers.Peers.UnionWith(announcedBy);
    }

    /// <summary>Gets a block, from the store or from another peer. Waits until some peer has it: pass a deadline.</summary>
    /// <exception cref="ArgumentException">The CID is undefined, or longer than peers accept.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled, or the exchange disposed.</exception>
    public Task<ReadOnlyMemory<byte>> GetAsync(Cid cid, CancellationToken cancellationToken = default) => exchange.GetAsync(cid, peers, cancellationToken);

    /// <summary>Gets many blocks, in the order of their arrival. Only so many are asked for at a time as the options say.</summary>
    public async IAsyncEnumerable<Block> GetManyAsync(IEnumerable<Cid> cids, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var arrived = Channel.CreateBounded<Block>(exchange.Options.SessionWindow);
        var fetching = FetchAsync(cids, arrived.Writer, stop.Token);
        try
        {
            await foreach (var block in arrived.Reader.ReadAllAsync(cancellationToken)) yield return block;
        }
        finally
        {
            await stop.CancelAsync();
            await fetching;
        }
    }

    private async Task FetchAsync(IEnumerable<Cid> cids, ChannelWriter<Block> arrived, CancellationToken cancellationToken)
    {
        try
        {
            var parallel = new ParallelOptions { MaxDegreeOfParallelism = exchange.Options.SessionWindow, CancellationToken = cancellationToken };
            await Parallel.ForEachAsync(cids, parallel, async (cid, token) => await arrived.WriteAsync(new Block(cid, await GetAsync(cid, token)), token));
            arrived.Complete();
        }
        catch (Exception failure)
        {
            // The reader gets it.
            arrived.Complete(failure);
        }
    }
}
