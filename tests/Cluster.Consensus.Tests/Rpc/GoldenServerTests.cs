using System.Buffers;
using System.IO.Pipelines;
using Cluster.Consensus.Clients;
using Cluster.Consensus.Members;
using Cluster.Consensus.Rpc;
using Cluster.Consensus.Status;
using Cluster.Model;
using Cluster.PeerRpc;
using Cluster.PeerRpc.Msgpack;
using Cluster.PeerRpc.Streams;
using Cluster.PeerRpc.Values;
using Libp2p;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Tests.Rpc;

/// <summary>The recorded calls on the original, asked of our server with its real methods over a peer that is in the recorded state.</summary>
[Trait("Category", "Golden")]
public sealed class GoldenServerTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    // Answers that differ for a good reason, by name.
    private static readonly Dictionary<string, string> OtherwiseAnswered = new()
    {
        ["service id as a string"] = "the original answers twice on the stream; one answer is enough (peer-rpc 1)",
        ["nothing, write side closed"] = "the original answers twice on the stream; one answer is enough (peer-rpc 1)",
        ["Status with an integer argument"] = "the error's wording is that of Go's decoder",
        ["Version with a bin argument"] = "the error's wording is that of Go's decoder",
        ["StatusAll with a string argument"] = "the original cancels itself; ours names the bad argument",
    };

    public static TheoryData<int, string> Calls => Recording.AskedBy("test peer");

    [Theory, MemberData(nameof(Calls))]
    public async Task The_answer_is_the_recorded_one(int index, string name)
    {
        var recording = Recording.At(index);
        await using var peer = new RecordedPeer(recording);
        Pipe there = new(), back = new(new PipeOptions(pauseWriterThreshold: 1 << 24));
        using var limit = new CancellationTokenSource(Limit);
        var serving = new RpcServer(RpcTable.MethodsOf(peer.Parts), peer.Parts.Consensus.IsTrusted)
            .ServeAsync(RecordedPeer.TestPeer, new Ends(there.Reader, back.Writer), limit.Token);
        await there.Writer.WriteAsync(recording.Request, limit.Token);
        if (recording.ClientResets && recording.Replies.Count == 0)
            await there.Writer.CompleteAsync(new IOException("reset"));
        else if (recording.ClientEndsItsSide)
            await there.Writer.CompleteAsync();
        await serving;
        if (recording.ClientResets && recording.Replies.Count == 0)
        {
            Assert.Empty(peer.Daemon.Stored);
            return;
        }

        if (recording.MethodName == "IPFSConnector.BlockStream" && recording.Replies.Count == 0)
            Assert.Equal(recording.Values("client").Count - 1, peer.Daemon.Stored.Count);
        var answer = await ReadToEndAsync(back.Reader, limit.Token);
        if (OtherwiseAnswered.ContainsKey(name))
        {
            // Still an answer, and an error where the recorded one is an error.
            var reader = new MsgpackReader(answer);
            Assert.Equal(recording.Replies[0].Error.Length > 0, ResponseHeader.Read(ref reader).Error.Length > 0);
            return;
        }

        Assert.Equal(Convert.ToHexStringLower(Normal(recording.Answer)), Convert.ToHexStringLower(Normal(answer)));
    }

    /// <summary>
    /// The build that was recorded has its commit in its version; the time of a status of what is not in the pinset is that of the
    /// question; and the original sometimes writes an empty error text that it sometimes leaves out (peer-rpc 2).
    /// </summary>
    private static byte[] Normal(byte[] answer)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new MsgpackWriter(output);
        var reader = new MsgpackReader(answer);
        while (!reader.AtEnd)
        {
            var value = reader.Value();
            var inner = new MsgpackReader(value);
            if (!inner.IsMap)
            {
                writer.Encoded(value);
                continue;
            }

            var fields = new List<(string Key, byte[] Value)>();
            for (var left = inner.MapHeader(); left > 0; left--)
                fields.Add((inner.Text(), inner.Value().ToArray()));
            var isUnpinned = fields.Exists(f => f.Key == "st" && f.Value.AsSpan().SequenceEqual(new byte[] { 0xd1, 0x00, 0x80 }));
            fields.RemoveAll(f => f.Key == "e" && f.Value is [0xa0] || f.Key == "ts" && isUnpinned);
            writer.MapHeader(fields.Count);
            foreach (var (key, content) in fields)
            {
                writer.Text(key);
                if (key == "v")
                    writer.Text(System.Text.Encoding.UTF8.GetString(content.AsSpan(1)).Split('+')[0]);
                else
                    writer.Encoded(content);
            }
        }

        return output.WrittenSpan.ToArray();
    }

    private static async Task<byte[]> ReadToEndAsync(PipeReader reader, CancellationToken cancellation)
    {
        while (true)
        {
            var read = await reader.ReadAsync(cancellation);
            if (read.IsCompleted)
                return read.Buffer.ToArray();
            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private sealed record Ends(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    /// <summary>A peer in the state that a recording shows.</summary>
    private sealed class RecordedPeer : IAsyncDisposable
    {
        private readonly Peer _core;

        public RecordedPeer(Recording recording)
        {
            var id = PeerId.Parse(recording.PeerId);
            _core = new Peer(id: id, wrap: inner => new MemberConsensus(inner, id));
            var consensus = (MemberConsensus)_core.Consensus;
            if (!recording.Peer.Contains("trusts nobody", StringComparison.Ordinal))
                consensus.Trusted.Add(TestPeer);
            Daemon.Swarm = [];
            Daemon.Garbage.Clear();
            var own = new PeerInfo { PeerName = recording.Peer.Split(' ')[0] };
            foreach (var (error, value) in recording.Replies)
            {
                if (recording.Peer.Contains("IPFS down", StringComparison.Ordinal) && error.Length > 0)
                    Daemon.Error = error;
                var reader = new MsgpackReader(value);
                switch (recording.MethodName)
                {
                    case "Cluster.ID" or "Cluster.IDStream" or "Cluster.Peers" when error.Length == 0:
                        own = PeerCodec.ReadPeer(ref reader);
                        Daemon.Error = own.Ipfs.Error;
                        break;
                    case "PinTracker.Status" or "PinTracker.StatusAll" or "PinTracker.Recover" or "Cluster.RecoverLocal" when error.Length == 0:
                        Know(value);
                        break;
                    case "Cluster.RepoGCLocal" when error.Length == 0:
                        Daemon.Garbage.AddRange((DaemonCodec.ReadGc(ref reader).Keys ?? []).Select(PeerMapping.ToMessage));
                        break;
                }
            }

            foreach (var member in own.ClusterPeers ?? [])
                consensus.Members.Add(member);
            Daemon.Id = own.Ipfs.Id;
            Daemon.Addresses = own.Ipfs.Addresses ?? [];
            var remote = new JoiningPeer();
            var self = new SelfPeer(id, own.PeerName, () => own.Addresses ?? [], consensus, remote, Daemon);
            var reports = new StatusReports(self, _core.Metrics, _core.Clock);
            var status = new GlobalStatus(consensus, _core.Tracker, remote, self, reports, _core.Settings);
            var membership = new Membership(consensus, self, Daemon, remote, _core.Metrics, _core.Evacuation);
            Parts = new RpcParts(consensus, _core.Tracker, Daemon, self, membership, status, reports);
        }

        public static PeerId TestPeer { get; } = PeerId.Parse("12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB");

        public RpcParts Parts { get; }

        public FakeDaemon Daemon => _core.Daemon;

        public ValueTask DisposeAsync() => _core.DisposeAsync();

        /// <summary>The tracker knows the status, and the peer's last ping told of its daemon.</summary>
        private void Know(byte[] value)
        {
            var reader = new MsgpackReader(value);
            var model = StatusCodec.ReadPinInfo(ref reader);
            if (!model.Cid.IsDefined)
            {
                Ping(model.Info.IpfsPeerId);
                return;
            }

            reader = new MsgpackReader(value);
            using var row = new StatusRowReader();
            var info = V1.PinInfo.Parser.ParseFrom(row.Read(ref reader));
            _core.Tracker.Known[model.Cid] = info;
            Ping(info.IpfsPeerId);
        }

        private void Ping(string daemon) => _core.Metrics.Reset(
        [
            new Metric { Name = "ping", Peer = _core.SelfPeer.Id, Value = $"{{\"ipfs_id\":\"{daemon}\"}}", Valid = true, Expire = long.MaxValue },
        ]);
    }

    /// <summary>The recorded test peer, which answers who it is when it asks to be taken in.</summary>
    private sealed class JoiningPeer : IRemotePeers
    {
        public IReadOnlyList<Multiaddr> AddressesOf(PeerId peer) => [];

        public ValueTask<V1.PeerInfo> CallBackAsync(PeerId joining, CancellationToken cancellationToken)
        {
            var reader = new MsgpackReader(Recording.Named("PeerAdd of ourselves", "Go peer").Replies[0].Value);
            return new(PeerMapping.ToMessage(PeerCodec.ReadPeer(ref reader)));
        }

        public ValueTask<V1.PeerInfo> IdAsync(PeerId peer, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<V1.PeerInfo> JoinAsync(PeerId peer, CancellationToken cancellationToken) => throw new NotSupportedException();

        public IAsyncEnumerable<V1.PeerInfo> MembersOfAsync(PeerId peer, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ITracker TrackerOf(PeerId peer) => throw new NotSupportedException();

        public IDaemon DaemonOf(PeerId peer) => throw new NotSupportedException();
    }
}
