using Xunit.Abstractions;

namespace Golden.Tests;

/// <summary>Every recorded HTTP transcript of the REST API of one peer, against its real five processes and a real IPFS daemon.</summary>
[Trait("Category", "Golden")]
[Trait("Category", "Slow")]
public sealed class HttpScenarioTests(ITestOutputHelper output)
{
    /// <summary>The scenario files.</summary>
    public static TheoryData<string> Scenarios => HttpScenarios.Of("rest");

    [Theory]
    [MemberData(nameof(Scenarios))]
    public Task A_peer_answers_as_recorded(string scenario) => HttpScenarios.ReplayAsync("rest", scenario, output);
}
