using Cluster.PinState.Records;
using Fuzz;
using Fuzz.PinStateTargets;

namespace Cluster.PinState.Tests;

public sealed class FuzzTests
{
    private static readonly byte[][] Corpus =
    [
        PinRecord.ToBytes(StoreFixture.Pin(1)),
        PinRecord.ToBytes(StoreFixture.Pin(2, "name", StoreFixture.Peer(1), StoreFixture.Peer(2))),
    ];

    [Fact]
    public void Any_record_is_read_or_refused() => FuzzRunner.Run(PinRecordTarget.Fuzz, Corpus, 5_000, seed: 1);

    [Fact]
    [Trait("Category", "Long")]
    [Trait("Category", "Slow")]
    public void Many_records_are_read_or_refused() => FuzzRunner.Run(PinRecordTarget.Fuzz, Corpus, 500_000, seed: Random.Shared.Next());
}
