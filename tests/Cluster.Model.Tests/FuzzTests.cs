using System.Text;
using Fuzz;
using Fuzz.ModelTargets;

namespace Cluster.Model.Tests;

public class FuzzTests
{
    private const int Iterations = 3_000;
    private const int LongIterations = 300_000;

    public static TheoryData<string> Targets() => [.. All.Keys];

    private static Dictionary<string, (FuzzTarget Target, Func<IEnumerable<byte[]>> Corpus)> All { get; } = new()
    {
        ["stored pins"] = (PinProtobufTarget.Fuzz, () => Golden.Cases("bytes/pin.json", "pins").Select(c => Convert.FromHexString(Golden.Of(c, "proto_hex")!))),
        ["pins in JSON"] = (PinJsonTarget.Fuzz, () => Golden.Cases("bytes/pin.json", "pins").Select(c => Utf8(Golden.Of(c, "json")!))),
        ["answers in JSON"] = (AnswerJsonTarget.Fuzz, () => Golden.Cases("bytes/msgpack.json", "encode").Select(c => Utf8(Golden.Of(c, "json")!))),
        ["queries"] = (PinQueryTarget.Fuzz, () => Golden.Cases("bytes/pin.json", "from_query").Select(c => Utf8(Golden.Of(c, "query")!))),
        ["scalars"] = (ScalarTarget.Fuzz, () => new[]
        {
            "1h30m5.25s", "300ms", "-1.5µs", "2030-01-02T03:04:05.6+02:00", "0001-01-01T00:00:00Z", "pinned,pin_error", "error",
            "/ip4/1.2.3.4/tcp/9096/p2p/12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB", "/unix/a/b", "all,pin",
            "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB", "QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC", "CAESQHXYot9y",
        }.Select(Utf8)),
        ["configurations"] = (ConfigurationTarget.Fuzz, () => new[] { "crdt", "raft", "badger" }
            .Select(name => $"files/service.{name}.json").Where(Golden.Has).Select(file => Utf8(Golden.Text(file)))),
    };

    [Theory]
    [MemberData(nameof(Targets))]
    public void Any_input_is_read_or_refused(string name) => FuzzRunner.Run(All[name].Target, [.. All[name].Corpus()], Iterations, seed: 1);

    [Theory]
    [Trait("Category", "Long")]
    [Trait("Category", "Slow")]
    [MemberData(nameof(Targets))]
    public void Much_input_is_read_or_refused(string name) =>
        FuzzRunner.Run(All[name].Target, [.. All[name].Corpus()], LongIterations, seed: Random.Shared.Next());

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
