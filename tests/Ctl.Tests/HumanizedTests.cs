using Cluster.Ctl.Output;
using Cluster.Model;

namespace Ctl.Tests;

public class HumanizedTests
{
    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(9, "9 B")]
    [InlineData(999, "999 B")]
    [InlineData(1000, "1.0 kB")]
    [InlineData(8_200_000_000, "8.2 GB")]
    [InlineData(52_000_000_000, "52 GB")]
    public void Sizes_are_printed_in_decimal_units(ulong bytes, string text) => Assert.Equal(text, Humanized.Bytes(bytes));

    [Theory]
    [InlineData(0, "now")]
    [InlineData(1, "1 second from now")]
    [InlineData(-59, "59 seconds ago")]
    [InlineData(119, "1 minute from now")]
    [InlineData(-3 * 86400, "3 days ago")]
    [InlineData(8 * 86400, "1 week from now")]
    [InlineData(365L * 86400, "1 year from now")]
    [InlineData(-1_700_000_000_0L, "a long while ago")]
    public void Distances_in_time_are_printed_in_the_greatest_unit(long seconds, string text)
    {
        var now = GoTime.FromUnix(1_700_000_000);
        Assert.Equal(text, Humanized.Relative(GoTime.FromUnix(1_700_000_000 + seconds), now));
    }
}
