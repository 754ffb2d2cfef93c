using System.Collections.Concurrent;
using Cluster.Consensus.Rpc;
using Cluster.Model;
using Cluster.PeerRpc;
using Cluster.PeerRpc.Msgpack;
using Cluster.PeerRpc.Streams;
using Cluster.PeerRpc.Values;
using Ipld;
using Libp2p;

namespace Cluster.Consensus.Tests.Rpc;

/// <summary>A peer as the original is: it lists its pins in the order of its datastore, and knows no sorted list.</summary>
internal sealed class OldPeer : IAsyncDisposable
{
    private readonly Libp2pHost _host;

    private OldPeer(Libp2pHost host) => _host = host;

    public PeerId Id => _host.Id;

    public IReadOnlyList<Multiaddr> Addresses => _host.ListenAddresses;

    /// <summary>Methods called so far.</summary>
    public ConcurrentQueue<string> Asked { get; } = new();

    public static async Task<OldPeer> StartAsync(IReadOnlyList<Cid> cids)
    {
        var host = new Libp2pHost(new HostOptions { Key = PrivateKey.GenerateEd25519(), Listen = [Multiaddr.Parse("/ip4/127.0.0.1/tcp/0")] });
        var peer = new OldPeer(host);
        var server = new RpcServer(
            [
                new StreamingMethod<int, PinInfo>(
                    new ServiceId("PinTracker", "StatusAll"), RpcPolicy.Open, static (ref MsgpackReader reader) => reader.Int32(), StatusCodec.Write,
                    (_, _, _) => RowsAsync(cids, host.Id)),
            ],
            static _ => true);
        host.Handle(PeerCalls.Protocol, (stream, token) => peer.ServeAsync(server, stream, token));
        await host.StartAsync();
        return peer;
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private static async IAsyncEnumerable<PinInfo> RowsAsync(IReadOnlyList<Cid> cids, PeerId self)
    {
        foreach (var cid in cids)
        {
            await Task.Yield();
            yield return new PinInfo { Cid = cid, Peer = self, Allocations = [], Origins = [], Info = new PinInfoShort { Status = TrackerStatus.Pinned, PeerName = "old" } };
        }
    }

    /// <summary>Notes which method a stream calls, and leaves it as it was.</summary>
    private async Task ServeAsync(RpcServer server, PeerStream stream, CancellationToken cancellationToken)
    {
        var read = await stream.Input.ReadAsync(cancellationToken);
        var reader = new MsgpackReader(System.Buffers.BuffersExtensions.ToArray(read.Buffer));
        Asked.Enqueue(ServiceId.Read(ref reader).ToString());
        stream.Input.AdvanceTo(read.Buffer.Start);
        await server.ServeAsync(stream.RemotePeer, stream, cancellationToken);
    }
}
