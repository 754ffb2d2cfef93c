using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Ipld;

namespace Libp2p.Kademlia;

/// <content>Queries.</content>
public sealed partial class KademliaDht
{
    /// <summary>Finds the addresses of a peer; none when nobody knows it.</summary>
    public async Task<IReadOnlyList<Multiaddr>> FindPeerAsync(PeerId peer, CancellationToken cancellationToken = default)
    {
        if (peer == host.Id) return host.AnnouncedAddresses();
        if (host.IsConnected(peer) && host.Peerstore.Addresses(peer) is { Count: > 0 } known) return known;
        IReadOnlyList<Multiaddr> found = [];
        await QueryAsync(new KademliaMessage(KademliaMessageType.FindNode, peer.ToBytes()), (_, answer) =>
        {
            if (answer.CloserPeers.FirstOrDefault(other => other.Peer == peer) is not { Addresses.Count: > 0 } named) return false;
            found = named.Addresses;
            return true;
        }, cancellationToken);
        return found.Count > 0 ? found : host.Peerstore.Addresses(peer);
    }

    /// <summary>Finds the k peers nearest to a key, nearest first.</summary>
    public async Task<IReadOnlyList<PeerId>> FindClosestAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken = default) =>
        (await QueryAsync(new KademliaMessage(KademliaMessageType.FindNode, key), static (_, _) => false, cancellationToken)).Nearest;

    /// <summary>Announces that this host has some content, to the k peers nearest to its multihash. Holds for two days.</summary>
    /// <returns>How many peers were told.</returns>
    public async Task<int> ProvideAsync(Cid cid, CancellationToken cancellationToken = default)
    {
        byte[] key = cid.Multihash.Bytes.ToArray();
        lock (gate) server.Store.AddProvider(key, host.Id, Now);
        var nearest = await FindClosestAsync(key, cancellationToken);
        var message = new KademliaMessage(KademliaMessageType.AddProvider, key) { ProviderPeers = [new KademliaPeer(host.Id, host.AnnouncedAddresses())] };
        return await TellAsync(nearest, message, answer: false, cancellationToken);
    }

    /// <summary>Finds peers that have some content, as they become known; each once. Their addresses are in the peerstore.</summary>
    public async IAsyncEnumerable<PeerId> FindProvidersAsync(Cid cid, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        byte[] key = cid.Multihash.Bytes.ToArray();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        // Bounded by the peers that answer and the peers each may name.
        var found = Channel.CreateUnbounded<PeerId>(new UnboundedChannelOptions { SingleReader = true });
        HashSet<PeerId> seen = [];
        IReadOnlyList<PeerId> own;
        lock (gate) own = server.Store.Providers(key, Now);
        foreach (var peer in own)
        {
            if (seen.Add(peer)) yield return peer;
        }
        var query = Task.Run(async () =>
        {
            try
            {
                await QueryAsync(new KademliaMessage(KademliaMessageType.GetProviders, key), (_, answer) =>
                {
                    foreach (var provider in answer.ProviderPeers) found.Writer.TryWrite(provider.Peer);
                    return false;
                }, stop.Token);
                found.Writer.Complete();
            }
            catch (Exception failure)
            {
                found.Writer.Complete(failure);
            }
        }, CancellationToken.None);
        try
        {
            await foreach (var peer in found.Reader.ReadAllAsync(cancellationToken))
            {
                if (seen.Add(peer)) yield return peer;
            }
        }
        finally
        {
            await stop.CancelAsync();
            await query;
        }
    }

    /// <summary>Keeps a record at the k peers nearest to its key.</summary>
    /// <returns>How many peers keep it.</returns>
    /// <exception cref="ArgumentException">No validator takes it.</exception>
    public async Task<int> PutValueAsync(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> value, CancellationToken cancellationToken = default)
    {
        if (options.ValidatorOf(key.Span) is not { } validator || !validator.IsValid(key.Span, value.Span)) throw new ArgumentException("No validator takes the record.", nameof(value));
        var record = new KademliaRecord(key, value);
        lock (gate) server.Store.Put(record, Now);
        var nearest = await FindClosestAsync(key, cancellationToken);
        return await TellAsync(nearest, new KademliaMessage(KademliaMessageType.PutValue, key) { Record = record }, answer: true, cancellationToken);
    }

    /// <summary>Finds the best record of a key; null when nobody has a valid one.</summary>
    /// <exception cref="ArgumentException">No validator is there for such keys.</exception>
    public async Task<ReadOnlyMemory<byte>?> GetValueAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken = default)
    {
        var validator = options.ValidatorOf(key.Span) ?? throw new ArgumentException("No validator is there for such keys.", nameof(key));
        ReadOnlyMemory<byte>? best = null;
        lock (gate)
        {
            if (server.Store.Record(key.Span, Now) is { } own) best = own.Value;
        }
        await QueryAsync(new KademliaMessage(KademliaMessageType.GetValue, key), (_, answer) =>
        {
            if (answer.Record is not { } record || !validator.IsValid(key.Span, record.Value.Span)) return false;
            if (best is null || validator.IsBetter(record.Value.Span, best.Value.Span)) best = record.Value;
            return false;
        }, cancellationToken);
        return best;
    }

    private async Task<int> TellAsync(IReadOnlyList<PeerId> peers, KademliaMessage message, bool answer, CancellationToken cancellationToken)
    {
        int told = 0;
        await Parallel.ForEachAsync(peers, new ParallelOptions { MaxDegreeOfParallelism = options.Concurrency, CancellationToken = cancellationToken }, async (peer, token) =>
        {
            try
            {
                await RequestAsync(peer, message, token, answer);
                Interlocked.Increment(ref told);
            }
            catch (Exception failure) when (failure is IOException or TimeoutException)
            {
                Remove(peer, failure.Message);
            }
        });
        return told;
    }

    /// <summary>Runs an iterative query until the nearest peers have answered or <paramref name="enough"/> says so.</summary>
    private async Task<Lookup> QueryAsync(KademliaMessage request, Func<PeerId, KademliaMessage, bool> enough, CancellationToken cancellationToken)
    {
        var target = KademliaKey.Of(request.Key.Span);
        var lookup = new Lookup(target, host.Id, options.BucketSize, options.Concurrency);
        lock (gate) lookup.Add(table.Nearest(target, options.BucketSize));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stopping.Token);
        Dictionary<Task<KademliaMessage>, PeerId> asked = [];
        try
        {
            while (true)
            {
                while (lookup.Next() is { } peer) asked.Add(RequestAsync(peer, request, stop.Token), peer);
                if (asked.Count == 0) return lookup;
                var done = await Task.WhenAny(asked.Keys);
                asked.Remove(done, out var answered);
                try
                {
                    var answer = await done;
                    lookup.Answered(answered, answer.CloserPeers.Where(IsReachable).Select(other => other.Peer));
                    if (enough(answered, answer)) return lookup;
                }
                catch (Exception failure) when (failure is IOException or TimeoutException)
                {
                    lookup.Failed(answered);
                }
            }
        }
        finally
        {
            await stop.CancelAsync();
            // What is still being asked ends with the token; its failures are of no interest any more.
            await Task.WhenAll(asked.Keys).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    private bool IsReachable(KademliaPeer peer) => peer.Addresses.Count > 0 || host.IsConnected(peer.Peer) || host.Peerstore.Addresses(peer.Peer).Count > 0;
}
