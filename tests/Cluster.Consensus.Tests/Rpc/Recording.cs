using System.Text.Json.Nodes;
using Cluster.PeerRpc;
using Cluster.PeerRpc.Msgpack;

namespace Cluster.Consensus.Tests.Rpc;

/// <summary>A recorded stream of the original (golden bytes/gorpc.json).</summary>
internal sealed class Recording(JsonNode flow)
{
    private static readonly JsonNode File = Load();

    /// <summary>Numbers and names of the recordings in which a peer of that kind asks.</summary>
    public static TheoryData<int, string> AskedBy(string client)
    {
        var data = new TheoryData<int, string>();
        var flows = File["flows"]!.AsArray();
        for (var i = 0; i < flows.Count; i++)
        {
            if (flows[i]!["client"]!.GetValue<string>() == client)
                data.Add(i, flows[i]!["name"]!.GetValue<string>());
        }

        return data;
    }

    public static Recording At(int index) => new(File["flows"]![index]!);

    public static Recording Named(string name, string client) =>
        new(File["flows"]!.AsArray().First(f => f!["name"]!.GetValue<string>() == name && f["client"]!.GetValue<string>() == client)!);

    public static string Secret => File["secret"]!.GetValue<string>();

    public string Peer => flow["peer"]!.GetValue<string>();

    /// <summary>The base58 id of the peer that is asked (or asks, when it is the original that asks).</summary>
    public string PeerId => File["peers"]![Peer.Split(' ')[0]]!.GetValue<string>();

    /// <summary>The method that is called; empty when the request names none.</summary>
    public string MethodName => flow["method"]?.GetValue<string>() ?? string.Empty;

    public byte[] Request => Convert.FromHexString(flow["client_hex"]!.GetValue<string>());

    public byte[] Answer => Convert.FromHexString(flow["server_hex"]!.GetValue<string>());

    public bool ClientEndsItsSide => Has("client", "close-write");

    public bool ClientResets => Has("client", "reset");

    /// <summary>Replies, or the error.</summary>
    public IReadOnlyList<(string Error, byte[] Value)> Replies
    {
        get
        {
            var values = Values("server");
            var replies = new List<(string, byte[])>();
            for (var i = 0; i + 1 < values.Count; i += 2)
            {
                var reader = new MsgpackReader(values[i]);
                replies.Add((ResponseHeader.Read(ref reader).Error, values[i + 1]));
            }

            return replies;
        }
    }

    public IReadOnlyList<byte[]> Values(string side) =>
    [
        .. flow["frames"]!.AsArray().Where(f => f!["dir"]!.GetValue<string>() == side && f["hex"] is not null)
            .Select(f => Convert.FromHexString(f!["hex"]!.GetValue<string>())),
    ];

    private bool Has(string side, string what) =>
        flow["frames"]!.AsArray().Any(f => f!["dir"]!.GetValue<string>() == side && f["event"]?.GetValue<string>() == what);

    private static JsonNode Load()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (System.IO.File.Exists(Path.Combine(folder.FullName, "Cluster.Micro.sln")))
                return JsonNode.Parse(System.IO.File.ReadAllText(Path.Combine(folder.FullName, "tests", "golden", "bytes", "gorpc.json")))!;
        }

        throw new FileNotFoundException("tests/golden/bytes/gorpc.json");
    }
}
