using Xunit.Abstractions;

namespace Golden.Tests;

/// <summary>The same with more peers and their daemons.</summary>
[Collection(ManyPeers.Name)]
[Trait("Category", "Golden")]
[Trait("Category", "Slow")]
public sealed class CliTranscriptOfThreeTests(ITestOutputHelper output)
{
    public static TheoryData<string, int> Transcripts => CliTranscripts.With(static peers => peers > 1);

    [Theory]
    [MemberData(nameof(Transcripts))]
    public Task The_command_line_prints_what_was_recorded(string file, int peers) => CliTranscripts.PlayAsync(file, peers, output);
}
