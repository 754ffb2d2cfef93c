using System.Runtime.CompilerServices;
using Cluster.PeerRpc;
using Cluster.PeerRpc.Msgpack;
using Cluster.PeerRpc.Streams;
using Cluster.PeerRpc.Values;
using Google.Protobuf;
using Libp2p;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Rpc;

/// <summary>The methods of <c>IPFSConnector</c> that others may call.</summary>
internal static class ConnectorMethods
{
    private static readonly TimeSpan CallDeadline = TimeSpan.FromSeconds(60);

    internal static IEnumerable<RpcMethod> Of(RpcParts parts) =>
    [
        new StreamingMethod<BlockValue, bool>(
            Id("BlockStream"), RpcPolicy.Trusted, ReadBlock, static (output, _) => RpcTable.Empty(output),
            (_, blocks, token) => StoreAsync(parts, blocks, token)),
        new UnaryMethod<bool, RepoStatValue>(
            Id("RepoStat"), RpcPolicy.Trusted, RpcTable.Nothing, DaemonCodec.Write, static output => DaemonCodec.Write(output, default(RepoStatValue)),
            async (_, _, token) =>
            {
                var stat = await parts.Daemon.RepoStatAsync(token);
                return new RepoStatValue(stat.RepoSize, stat.StorageMax);
            },
            CallDeadline),
        new UnaryMethod<bool, IReadOnlyList<PeerId>>(
            Id("SwarmPeers"), RpcPolicy.Trusted, RpcTable.Nothing, static (output, peers) => output.List(peers, static (to, peer) => to.Peer(peer)),
            static output => output.Nil(),
            async (_, _, token) => ToPeers(await parts.Daemon.SwarmPeersAsync(token)), CallDeadline),
    ];

    private static ServiceId Id(string method) => new("IPFSConnector", method);

    private static BlockValue ReadBlock(ref MsgpackReader reader)
    {
        var block = DaemonCodec.ReadBlock(ref reader);
        return block.Cid.IsDefined ? block : throw new MsgpackException("a block without a CID");
    }

    private static PeerId[] ToPeers(IReadOnlyList<string> daemons)
    {
        var peers = new List<PeerId>(daemons.Count);
        foreach (var daemon in daemons)
        {
            // An id that is none has no binary form; a daemon has no such peers.
            if (PeerId.TryParse(daemon, out var peer, out _))
                peers.Add(peer);
        }

        return [.. peers];
    }

    /// <summary>Blocks go to the daemon as they come; the next is read when the daemon has room. Nothing is answered but the end.</summary>
    private static async IAsyncEnumerable<bool> StoreAsync(
        RpcParts parts, IAsyncEnumerable<BlockValue> blocks, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var source = blocks.GetAsyncEnumerator(cancellationToken);
        if (!await source.MoveNextAsync())
            throw new ClusterException(ClusterErrorKind.InvalidArgument, "BlockStream: no blocks to peek in blocks channel");
        await parts.Daemon.PutBlocksAsync(OneByOneAsync(source), static _ => { }, cancellationToken);
        yield break;
    }

    private static async IAsyncEnumerable<IReadOnlyList<V1.Block>> OneByOneAsync(IAsyncEnumerator<BlockValue> source)
    {
        do
        {
            var block = source.Current;
            yield return
            [
                new V1.Block
                {
                    Cid = UnsafeByteOperations.UnsafeWrap(block.Cid.Memory),
                    Data = UnsafeByteOperations.UnsafeWrap(block.Data ?? ReadOnlyMemory<byte>.Empty),
                },
            ];
        }
        while (await source.MoveNextAsync());
    }
}
