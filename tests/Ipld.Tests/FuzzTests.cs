using System.Text;
using Fuzz;
using Fuzz.IpldTargets;

namespace Ipld.Tests;

public sealed class FuzzTests
{
    private const int Iterations = 4000;
    private const int LongIterations = 400_000;

    private static readonly Cid Sample = Cid.Parse("bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354");

    public static TheoryData<string> Targets => [nameof(CidTextTarget), nameof(CidBytesTarget), nameof(DagPbTarget), nameof(UnixFsTarget), nameof(DagCborTarget), nameof(CarTarget), nameof(ChunkerTarget), nameof(ImportPathTarget)];

    [Theory]
    [MemberData(nameof(Targets))]
    public void No_input_breaks_a_parser(string name)
    {
        var (target, corpus) = Find(name);
        FuzzRunner.Run(target, corpus, Iterations, seed: 1);
    }

    [Theory]
    [Trait("Category", "Long")]
    [MemberData(nameof(Targets))]
    public void No_input_breaks_a_parser_even_after_many(string name)
    {
        var (target, corpus) = Find(name);
        FuzzRunner.Run(target, corpus, LongIterations, seed: Random.Shared.Next());
    }

    private static (FuzzTarget Target, List<byte[]> Corpus) Find(string name) => name switch
    {
        nameof(CidTextTarget) => (CidTextTarget.Fuzz, [.. Enum.GetValues<MultibaseEncoding>().Select(e => Encoding.UTF8.GetBytes(Sample.ToString(e))), "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn"u8.ToArray()]),
        nameof(CidBytesTarget) => (CidBytesTarget.Fuzz, [Sample.ToBytes(), Sample.Multihash.Bytes.ToArray()]),
        nameof(DagPbTarget) => (DagPbTarget.Fuzz, [DagPbNode.Encode([new DagPbLink(Sample, "a", 3), new DagPbLink(Sample, "b", 300)], UnixFs())]),
        nameof(UnixFsTarget) => (UnixFsTarget.Fuzz, [UnixFs()]),
        nameof(DagCborTarget) => (DagCborTarget.Fuzz, [DagCbor.EncodeIndexedLinks([Sample, Sample]), Convert.FromHexString("a361610161628318f5f4f6fb3ff199999999999a6163d82a4500015500006164")]),
        nameof(CarTarget) => (CarTarget.Fuzz, Cars()),
        nameof(ChunkerTarget) => (ChunkerTarget.Fuzz, ["size-3\nabcdefgh"u8.ToArray(), "rabin-16-32-64\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"u8.ToArray(), "rabin-100\nx"u8.ToArray(), "buzhash\nabc"u8.ToArray(), "rabin-min:16-avg:32-max:64\n0"u8.ToArray()]),
        nameof(ImportPathTarget) => (ImportPathTarget.Fuzz, ["d%2Fa.txt"u8.ToArray(), "/a/../../b+c"u8.ToArray(), "%e2%82%ac/./x"u8.ToArray()]),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "no such target"),
    };

    private static byte[] UnixFs() => new UnixFsNode { Type = UnixFsType.File, Data = new byte[] { 1, 2 }, FileSize = 700, BlockSizes = [300, 400], Mode = 420, Mtime = (1700000000, 5) }.Encode();

    private static List<byte[]> Cars()
    {
        var cars = Golden.Cases("kubo/cars.json", "cases").Where(c => c["base64"] is not null).Select(c => Convert.FromBase64String((string)c["base64"]!)).Where(car => car.Length < 4096).ToList();
        cars.Add(CarTests.Version2(cars.Count > 0 ? cars[0] : [], padding: 3));
        return cars;
    }
}
