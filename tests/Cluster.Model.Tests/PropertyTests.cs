using System.Globalization;
using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Ipld;

namespace Cluster.Model.Tests;

public class PropertyTests
{
    private static readonly Cid SomeCid = Cid.Parse("bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi");

    [Fact]
    public void A_printed_duration_reads_back() => Prop.ForAll<long>(nanoseconds =>
        GoDuration.Parse(new GoDuration(nanoseconds).ToString()).Nanoseconds == nanoseconds).QuickCheckThrowOnFailure();

    [Fact]
    public void A_printed_time_reads_back_with_its_offset() => Prop.ForAll(
        (from seconds in Gen.Choose(-2_000_000_000, 2_000_000_000)
         from scale in Gen.Elements(1L, 60L, 100L)
         from nanoseconds in Gen.Choose(0, 999_999_999)
         from offset in Gen.Choose(-14 * 60, 14 * 60)
         select GoTime.FromUnix(seconds * scale, nanoseconds).WithOffset(offset)).ToArbitrary(),
        time => time.UnixSeconds < -62_135_596_800 + 86_400
            || (GoTime.Parse(time.ToString()) is var again && again == time && again.OffsetMinutes == time.OffsetMinutes)).QuickCheckThrowOnFailure();

    [Fact]
    public void Times_agree_with_those_of_dotnet() => Prop.ForAll(
        Gen.Choose(0, int.MaxValue).Select(n => new DateTimeOffset(n * (DateTimeOffset.MaxValue.Ticks / int.MaxValue), TimeSpan.Zero)).ToArbitrary(),
        time =>
        {
            var printed = time.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);
            return GoTime.FromDateTimeOffset(time).ToString() == printed && GoTime.Parse(printed).ToDateTimeOffset() == time;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_stored_pin_reads_back_but_for_what_is_not_stored() => Prop.ForAll(Pins(), pin =>
    {
        var stored = PinProtobuf.ToBytes(pin);
        var read = PinProtobuf.Parse(stored);
        var expected = pin with
        {
            Timestamp = pin.Timestamp.ToStoredPrecision(),
            Options = pin.Options with { Mode = PinDepth.ToMode(pin.MaxDepth), ExpireAt = pin.Options.ExpireAt.ToStoredPrecision() },
        };
        return PinProtobuf.Size(pin) == stored.Length && Text(read) == Text(expected) && PinProtobuf.ToBytes(read).AsSpan().SequenceEqual(stored);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_pin_in_json_reads_back_and_is_valid_json() => Prop.ForAll(Pins(), pin =>
    {
        using var json = JsonDocument.Parse(Text(pin));
        return Text(ModelJsonReader.ReadPin(json.RootElement)) == Text(pin) && json.RootElement.GetProperty("name").GetString() == pin.Options.Name;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Options_in_a_query_read_back() => Prop.ForAll(Pins(), pin =>
    {
        var printed = PinOptionsQuery.ToQuery(pin.Options);
        return PinOptionsQuery.TryParse(GoQuery.Parse(printed), GoTime.Zero, out var read, out _)
            && read.Name == pin.Options.Name && read.Replication == pin.Options.Replication && PinOptionsQuery.ToQuery(read) == printed;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Metadata_is_ordered_by_the_bytes_of_its_keys() => Prop.ForAll(Texts().ListOf().ToArbitrary(), keys =>
    {
        var metadata = Metadata.From(keys.Select(key => KeyValuePair.Create(key, key)));
        var bytes = metadata.Keys.Select(Encoding.UTF8.GetBytes).ToArray();
        return bytes.Zip(bytes.Skip(1)).All(pair => pair.First.AsSpan().SequenceCompareTo(pair.Second) < 0)
            && keys.All(key => metadata[key] == key);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_float_is_printed_as_the_shortest_text_that_reads_back() => Prop.ForAll<double>(value =>
        !double.IsFinite(value) || double.Parse(GoFloat.ToText(value), CultureInfo.InvariantCulture).Equals(value)).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(1e21, "1e+21")]
    [InlineData(1e20, "100000000000000000000")]
    [InlineData(1e-7, "1e-7")]
    [InlineData(0.000001, "0.000001")]
    [InlineData(-1.5, "-1.5")]
    [InlineData(123456.789, "123456.789")]
    public void Floats_are_printed_as_go_does(double value, string text) => Assert.Equal(text, GoFloat.ToText(value));

    [Theory]
    [InlineData(3, -1, "cluster.replication_factor_min is larger than max")]
    [InlineData(-1, 3, "cluster.replication_factor_min and max must be -1 when one of them is")]
    [InlineData(0, 1, "cluster.replication_factor_min and max must be set")]
    [InlineData(-2, -2, "cluster.replication_factor_min is wrong")]
    [InlineData(-1, -1, null)]
    [InlineData(1, 4, null)]
    public void Factors_are_judged_in_the_originals_order(int minimum, int maximum, string? complaint) =>
        Assert.Equal(complaint, new ReplicationFactors(minimum, maximum).Validate());

    private static string Text(Pin pin) => ModelJson.ToText(pin, ModelJson.Write);

    // Any Unicode, from beyond the basic plane too, but no lone surrogates: names come from decoded UTF-8.
    private static Gen<string> Texts() => Gen.OneOf(
            Gen.Choose(0, 0x7f), Gen.Choose(0x80, 0xd7ff), Gen.Choose(0xe000, 0xffff), Gen.Choose(0x10000, 0x10ffff), Gen.Elements(0x2028, 0x2029, '<', '&', '"', '\\'))
        .ListOf().Select(points => string.Concat(points.Select(char.ConvertFromUtf32)));

    private static Arbitrary<Pin> Pins() => (
        from name in Texts()
        from keys in Texts().ListOf()
        from minimum in Gen.Choose(-3, 5)
        from maximum in Gen.Choose(-3, 5)
        from depth in Gen.Choose(-1, 3)
        from seconds in Gen.Choose(1, int.MaxValue)
        from nanoseconds in Gen.Choose(0, 999_999_999)
        from type in Gen.Elements(PinType.Bad, PinType.Data, PinType.Meta, PinType.ClusterDag, PinType.Shard)
        from reference in Gen.Elements(SomeCid, default)
        select new Pin
        {
            Cid = SomeCid,
            Type = type,
            Allocations = [],
            MaxDepth = depth,
            Reference = reference,
            Timestamp = GoTime.FromUnix(seconds, nanoseconds),
            Options = new PinOptions
            {
                Name = name,
                Replication = new(minimum, maximum),
                Metadata = keys.Count == 0 ? null : Metadata.From(keys.Select((key, i) => KeyValuePair.Create(key, name + i))),
                ExpireAt = GoTime.FromUnix(seconds, nanoseconds),
                ShardSize = (ulong)nanoseconds,
                PinUpdate = reference,
                Origins = [],
            },
        }).ToArbitrary();
}
