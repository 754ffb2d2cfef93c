using System.Runtime.CompilerServices;
using Cluster.Consensus.Clients;
using Cluster.PeerRpc;
using Cluster.PeerRpc.Msgpack;
using Cluster.PeerRpc.Streams;
using Cluster.PeerRpc.Values;
using Ipld;
using Libp2p;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Rpc;

/// <summary>The daemon of another peer, through that peer. Of its own resolving and its blocks others get nothing (spec/peer-rpc.md 4).</summary>
internal sealed class RemoteDaemon(PeerId peer, PeerCalls calls, TimeProvider clock) : IDaemon
{
    /// <summary>A collection goes through a whole repository (spec/config.md 3.10, repogc_timeout).</summary>
    private static readonly TimeSpan CollectionDeadline = TimeSpan.FromHours(24);

    private static readonly ServiceId BlockStream = new("IPFSConnector", "BlockStream");

    /// <inheritdoc/>
    public async ValueTask<V1.IpfsId> IdAsync(CancellationToken cancellationToken)
    {
        var info = await calls.CallAsync(peer, new ServiceId("Cluster", "ID"), Empty, PeerCodec.ReadPeer, null, cancellationToken);
        return PeerMapping.ToMessage(info).Ipfs;
    }

    /// <inheritdoc/>
    public ValueTask<Cid> ResolveAsync(string path, CancellationToken cancellationToken) => throw NotForOthers("IPFSConnector.Resolve");

    /// <inheritdoc/>
    public ValueTask<ReadOnlyMemory<byte>> GetBlockAsync(Cid cid, CancellationToken cancellationToken) => throw NotForOthers("IPFSConnector.BlockGet");

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<V1.RepoGcKey>> RepoGcAsync(CancellationToken cancellationToken)
    {
        var collected = await calls.CallAsync(
            peer, new ServiceId("Cluster", "RepoGCLocal"), Empty, DaemonCodec.ReadGc, CollectionDeadline, cancellationToken);
        return collected.Error.Length > 0
            ? throw new ClusterException(ClusterErrorKind.Internal, collected.Error)
            : [.. (collected.Keys ?? []).Select(PeerMapping.ToMessage)];
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<string>> SwarmPeersAsync(CancellationToken cancellationToken)
    {
        var peers = await calls.CallAsync(peer, new ServiceId("IPFSConnector", "SwarmPeers"), Empty, Lists.Peers, null, cancellationToken);
        return [.. (peers ?? []).Select(id => id.ToString())];
    }

    /// <inheritdoc/>
    public async ValueTask<V1.RepoStatResponse> RepoStatAsync(CancellationToken cancellationToken)
    {
        var stat = await calls.CallAsync(peer, new ServiceId("IPFSConnector", "RepoStat"), Empty, DaemonCodec.ReadRepoStat, null, cancellationToken);
        return new V1.RepoStatResponse { RepoSize = stat.RepoSize, StorageMax = stat.StorageMax };
    }

    /// <summary>The peer says nothing of single blocks: all of them are stored when its answer has ended without an error.</summary>
    public async Task PutBlocksAsync(IAsyncEnumerable<IReadOnlyList<V1.Block>> blocks, Action<long> written, CancellationToken cancellationToken)
    {
        await using var place = await calls.OpenAsync(peer, cancellationToken);
        long sent = 0;
        using var stalled = new CancellationTokenSource(Timeout.InfiniteTimeSpan, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stalled.Token, cancellationToken);
        var ended = false;
        try
        {
            var replies = RpcClient.StreamAsync(place.Stream, BlockStream, ArgumentsAsync(either.Token), Nothing, either.Token);
            await foreach (var _ in replies)
            {
                // The method has no replies; some peer may send empty ones all the same.
            }

            ended = true;
        }
        catch (Exception e)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw Failures.Of(e);
        }
        finally
        {
            if (!ended)
                place.Stream.Reset();
        }

        written(sent);

        async IAsyncEnumerable<Action<MsgpackWriter>> ArgumentsAsync([EnumeratorCancellation] CancellationToken token)
        {
            await foreach (var bunch in blocks.WithCancellation(token))
            {
                foreach (var block in bunch)
                {
                    if (!Cid.TryFromBytes(block.Cid.Span, out var cid, out var error))
                        throw new ClusterException(ClusterErrorKind.InvalidArgument, $"cid of a block is no CID: {error}");
                    var value = new BlockValue(cid, block.Data.Memory, (ulong)block.Data.Length);
                    sent++;

                    // Whoever takes the next argument has sent this one: from then on it is the daemon's turn, for so long.
                    stalled.CancelAfter(calls.Limits.BlockStall);
                    yield return writer => DaemonCodec.Write(writer, value);
                    stalled.CancelAfter(Timeout.InfiniteTimeSpan);
                }
            }

            // The daemon stores what is under way; its peer answers when it has.
            stalled.CancelAfter(calls.Limits.BlockStall);
        }
    }

    private static void Empty(MsgpackWriter writer) => writer.MapHeader(0);

    private static bool Nothing(ref MsgpackReader reader)
    {
        reader.Skip();
        return true;
    }

    private ClusterException NotForOthers(string method) => new(
        ClusterErrorKind.NotTrusted, $"{peer}: client does not have permissions to call {method}");
}
