using Xunit.Abstractions;

namespace Golden.Tests;

/// <summary>The same with three peers and their daemons.</summary>
[Collection(ManyPeers.Name)]
[Trait("Category", "Golden")]
[Trait("Category", "Slow")]
public sealed class HttpScenarioOfThreeTests(ITestOutputHelper output)
{
    /// <summary>The scenario files.</summary>
    public static TheoryData<string> Scenarios => HttpScenarios.Of("rest3");

    [Theory]
    [MemberData(nameof(Scenarios))]
    public Task Three_peers_answer_as_recorded(string scenario) => HttpScenarios.ReplayAsync("rest3", scenario, output);
}
