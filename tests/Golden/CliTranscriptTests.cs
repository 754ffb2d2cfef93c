using Xunit.Abstractions;

namespace Golden.Tests;

/// <summary>Every recorded transcript of <c>ipfs-cluster-ctl</c> that needs a peer, against the real programs and a real IPFS daemon.</summary>
[Trait("Category", "Golden")]
[Trait("Category", "Slow")]
public sealed class CliTranscriptTests(ITestOutputHelper output)
{
    public static TheoryData<string, int> Transcripts => CliTranscripts.With(static peers => peers == 1);

    [Theory]
    [MemberData(nameof(Transcripts))]
    public Task The_command_line_prints_what_was_recorded(string file, int peers) => CliTranscripts.PlayAsync(file, peers, output);
}
