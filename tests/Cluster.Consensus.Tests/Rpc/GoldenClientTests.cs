using System.Collections.Concurrent;
using Cluster.Consensus.Clients;
using Cluster.Consensus.Rpc;
using Cluster.PeerRpc;
using Cluster.PeerRpc.Msgpack;
using Cluster.PeerRpc.Values;
using Google.Protobuf;
using Ipld;
using Libp2p;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Tests.Rpc;

/// <summary>What the original was recorded to send when it calls, sent by our client; its answers, as ours reads them.</summary>
[Trait("Category", "Golden")]
public sealed class GoldenClientTests
{
    // Sizes are those of whole DAGs there and of blocks here: nobody reads them (peer-rpc 3).
    private const string SizesDiffer = "IPFSConnector.BlockStream";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public static TheoryData<int, string> Calls => Recording.AskedBy("Go peer");

    [Theory, MemberData(nameof(Calls))]
    public async Task The_request_is_the_recorded_one(int index, string name)
    {
        Assert.NotEmpty(name);
        var recording = Recording.At(index);
        using var limit = new CancellationTokenSource(Limit);
        await using var original = await OriginalPeer.StartAsync(recording.Answer);
        await using var host = new Libp2pHost(new HostOptions { Key = PrivateKey.GenerateEd25519() });
        host.Peerstore.AddAddresses(original.Id, original.Addresses, AddressTtl.Permanent);
        var remote = new RemotePeers(host, TimeProvider.System, NetworkedPeer.Patient);
        var tracker = remote.TrackerOf(original.Id);
        var daemon = remote.DaemonOf(original.Id);
        var refusal = recording.Replies.Select(r => r.Error).FirstOrDefault(e => e.Length > 0);
        try
        {
            switch (recording.MethodName)
            {
                case "Cluster.ID": await remote.CallBackAsync(original.Id, limit.Token); break;
                case "Cluster.IDStream": await remote.IdAsync(original.Id, limit.Token); break;
                case "Cluster.Peers":
                    var members = await remote.MembersOfAsync(original.Id, limit.Token).ToListAsync(limit.Token);
                    Assert.Equal(recording.Replies.Count, members.Count);
                    break;
                case "Cluster.RepoGCLocal": Assert.NotEmpty(await daemon.RepoGcAsync(limit.Token)); break;
                case "IPFSConnector.SwarmPeers": Assert.NotEmpty(await daemon.SwarmPeersAsync(limit.Token)); break;
                case "IPFSConnector.RepoStat": Assert.NotEqual(0UL, (await daemon.RepoStatAsync(limit.Token)).StorageMax); break;
                case "PinTracker.Status": Same(recording, await tracker.StatusAsync(CidOf(recording), 0, limit.Token)); break;
                case "PinTracker.Recover": Same(recording, await tracker.RecoverAsync(CidOf(recording), 0, limit.Token)); break;
                case "PinTracker.StatusAll":
                    var pages = await tracker.StatusAllAsync(0, 0, limit.Token).ToListAsync(limit.Token);
                    Assert.Equal(recording.Replies.Count, pages.Sum(p => p.Decode().Items.Count));
                    break;
                case "IPFSConnector.BlockStream": await daemon.PutBlocksAsync(BlocksOf(recording), _ => { }, limit.Token); break;
                default: Assert.Fail($"nothing of ours calls {recording.MethodName}"); break;
            }

            Assert.Null(refusal);
        }
        catch (ClusterException e)
        {
            Assert.Equal(refusal, e.Message);
        }

        var asked = await original.RequestAsync(recording.MethodName, limit.Token);
        if (recording.MethodName == SizesDiffer)
        {
            Assert.Equal(recording.Values("client").Skip(1).Select(WithoutSize), ValuesOf(asked).Skip(1).Select(WithoutSize));
            return;
        }

        Assert.Equal(Convert.ToHexStringLower(recording.Request), Convert.ToHexStringLower(asked));
    }

    private static void Same(Recording recording, V1.PinInfo info)
    {
        var reader = new MsgpackReader(recording.Replies[0].Value);
        var expected = StatusCodec.ReadPinInfo(ref reader);
        Assert.Equal((expected.Name, (int)expected.Status, expected.Info.PeerName), (info.Name, (int)info.Status, info.PeerName));
        Assert.Equal(expected.Cid, Cid.FromBytes(info.Cid.Span));
    }

    private static Cid CidOf(Recording recording)
    {
        var reader = new MsgpackReader(recording.Values("client")[1]);
        return reader.Cid();
    }

    private static async IAsyncEnumerable<IReadOnlyList<V1.Block>> BlocksOf(Recording recording)
    {
        foreach (var value in recording.Values("client").Skip(1))
        {
            await Task.Yield();
            var reader = new MsgpackReader(value);
            var block = DaemonCodec.ReadBlock(ref reader);
            yield return [new V1.Block { Cid = ByteString.CopyFrom(block.Cid.Bytes), Data = ByteString.CopyFrom(block.Data!.Value.Span) }];
        }
    }

    private static IEnumerable<byte[]> ValuesOf(byte[] stream)
    {
        var values = new List<byte[]>();
        var reader = new MsgpackReader(stream);
        while (!reader.AtEnd)
            values.Add(reader.Value().ToArray());
        return values;
    }

    private static (Cid, string) WithoutSize(byte[] value)
    {
        var reader = new MsgpackReader(value);
        var block = DaemonCodec.ReadBlock(ref reader);
        return (block.Cid, Convert.ToHexStringLower(block.Data!.Value.Span));
    }

    /// <summary>A peer that answers as recorded: what the original does not know, it does not know either.</summary>
    private sealed class OriginalPeer : IAsyncDisposable
    {
        private static readonly ServiceId[] UnknownMethods = [TrackerMethods.SortedStatusAll];

        private readonly Libp2pHost _host;
        private readonly byte[] _answer;
        private readonly ConcurrentDictionary<string, TaskCompletionSource<byte[]>> _requests = new();

        private OriginalPeer(Libp2pHost host, byte[] answer)
        {
            _host = host;
            _answer = answer;
        }

        public PeerId Id => _host.Id;

        public IReadOnlyList<Multiaddr> Addresses => _host.ListenAddresses;

        public static async Task<OriginalPeer> StartAsync(byte[] answer)
        {
            var host = new Libp2pHost(new HostOptions { Key = PrivateKey.GenerateEd25519(), Listen = [Multiaddr.Parse("/ip4/127.0.0.1/tcp/0")] });
            var peer = new OriginalPeer(host, answer);
            host.Handle(PeerCalls.Protocol, peer.ServeAsync);
            await host.StartAsync();
            return peer;
        }

        public Task<byte[]> RequestAsync(string method, CancellationToken cancellationToken) => Of(method).Task.WaitAsync(cancellationToken);

        public ValueTask DisposeAsync() => _host.DisposeAsync();

        private static byte[] Unknown(ServiceId id)
        {
            var output = new System.Buffers.ArrayBufferWriter<byte>();
            new ResponseHeader(id, "rpc: can't find method " + id.Method, CallErrorKind.Server).Write(new MsgpackWriter(output));
            new MsgpackWriter(output).Nil();
            return output.WrittenSpan.ToArray();
        }

        private TaskCompletionSource<byte[]> Of(string method) =>
            _requests.GetOrAdd(method, static _ => new(TaskCreationOptions.RunContinuationsAsynchronously));

        private async Task ServeAsync(PeerStream stream, CancellationToken cancellationToken)
        {
            var request = new MemoryStream();
            var buffer = new byte[4096];
            var answered = false;
            string? method = null;
            await using var pipe = stream.AsStream();
            while (true)
            {
                int read;
                try
                {
                    read = await pipe.ReadAsync(buffer, cancellationToken);
                }
                catch (StreamResetException)
                {
                    read = 0; // a call that was refused is given up so
                }

                if (read == 0)
                    break;
                request.Write(buffer, 0, read);
                method ??= MethodIn(request.ToArray());
                if (answered || method is null)
                    continue;
                answered = true;
                var unknown = UnknownMethods.Where(id => id.ToString() == method).Select(Unknown).FirstOrDefault();
                await pipe.WriteAsync(unknown ?? _answer, cancellationToken);
                if (recordedEnds(method))
                    await stream.CloseWriteAsync();
            }

            if (!answered && method is not null)
                await pipe.WriteAsync(_answer, cancellationToken);
            await stream.CloseWriteAsync();
            Of(method ?? string.Empty).TrySetResult(request.ToArray());

            // Who calls for one reply keeps its side open until it has it; a list ends with its sender's side.
            static bool recordedEnds(string method) => !method.Contains("BlockStream", StringComparison.Ordinal);
        }

        private static string? MethodIn(byte[] bytes)
        {
            try
            {
                var reader = new MsgpackReader(bytes);
                return ServiceId.Read(ref reader).ToString();
            }
            catch (MsgpackException)
            {
                return null; // not all there yet
            }
        }
    }
}
