using Ipld;
using Libp2p;

namespace Cluster.Consensus.CrdtReplication;

/// <summary>The network of a peer that knows nobody.</summary>
public sealed class LoneNetwork : ICrdtNetwork
{
    /// <inheritdoc/>
    public void Announce(ReadOnlyMemory<byte> message)
    {
    }

    /// <inheritdoc/>
    public async Task<ReadOnlyMemory<byte>> FetchAsync(Cid block, PeerId? announcedBy, CancellationToken cancellationToken)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
        return default;
    }
}
