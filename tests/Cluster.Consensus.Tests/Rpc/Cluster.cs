using System.Collections;
using Cluster.Consensus.Services;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Tests.Rpc;

/// <summary>Peers that go together.</summary>
internal sealed class Cluster(IReadOnlyList<NetworkedPeer> peers) : IReadOnlyList<NetworkedPeer>, IAsyncDisposable
{
    public int Count => peers.Count;

    public NetworkedPeer this[int index] => peers[index];

    /// <summary>Waits until no peer serves a call any more.</summary>
    public async Task IdleAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (peers.Any(p => p.ServedNow > 0))
            await Task.Delay(10, limit.Token);
    }

    public IEnumerator<NetworkedPeer> GetEnumerator() => peers.GetEnumerator();

    public async ValueTask DisposeAsync()
    {
        foreach (var peer in peers)
            await peer.DisposeAsync();
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

internal static class Listings
{
    /// <summary>All statuses as a peer lists them.</summary>
    public static async Task<List<V1.GlobalPinInfo>> StatusesAsync(this NetworkedPeer peer, int mask = 0)
    {
        var items = new List<V1.GlobalPinInfo>();
        await peer.Listing.StatusAllAsync(
            mask,
            local: false,
            (RawMessage message) =>
            {
                items.AddRange(V1.GlobalPinInfoBatch.Parser.ParseFrom(message.Span).Items);
                return Task.CompletedTask;
            },
            CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60));
        return items;
    }
}
