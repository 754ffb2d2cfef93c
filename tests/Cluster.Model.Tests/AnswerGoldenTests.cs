using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cluster.Model.Tests;

[Trait("Category", "Golden")]
public class AnswerGoldenTests
{
    private static readonly Dictionary<string, Func<JsonElement, string>> Types = new()
    {
        ["Pin"] = json => Print(ModelJsonReader.ReadPin(json), ModelJson.Write),
        ["GlobalPinInfo"] = json => Print(ModelJsonReader.ReadGlobalPinInfo(json), ModelJson.Write),
        ["ID"] = json => Print(ModelJsonReader.ReadPeerInfo(json), ModelJson.Write),
        ["IPFSID"] = json => Print(ModelJsonReader.ReadIpfsId(json), ModelJson.Write),
        ["Metric"] = json => Print(ModelJsonReader.ReadMetric(json), ModelJson.Write),
        ["Alert"] = json => Print(ModelJsonReader.ReadAlert(json), ModelJson.Write),
        ["RepoGC"] = json => Print(ModelJsonReader.ReadRepoGc(json), ModelJson.Write),
        ["GlobalRepoGC"] = json => Print(ModelJsonReader.ReadGlobalRepoGc(json), ModelJson.Write),
        ["ConnectGraph"] = json => Print(ModelJsonReader.ReadConnectGraph(json), ModelJson.Write),
        ["BandwidthByProtocol"] = json => Print(ModelJsonReader.ReadBandwidth(json), ModelJson.Write),
        ["AddedOutput"] = json => Print(ModelJsonReader.ReadAddedOutput(json), ModelJson.Write),
        ["Error"] = json => Print(ModelJsonReader.ReadApiError(json), ModelJson.Write),
    };

    [Fact]
    public void Every_answer_is_printed_again_as_the_original_printed_it() => Golden.All(
        Golden.Cases("bytes/msgpack.json", "encode").Where(golden => Types.ContainsKey(Golden.Of(golden, "type")!)),
        golden => Golden.Of(golden, "type")!,
        golden =>
        {
            using var json = JsonDocument.Parse(Golden.Of(golden, "json")!);
            return Golden.Compare(Golden.Of(golden, "json"), Types[Golden.Of(golden, "type")!](json.RootElement));
        });

    private static string Print<T>(T value, Action<IBufferWriter<byte>, T> write) => ModelJson.ToText(value, write);
}
