using Cluster.CommandLine;
using Cluster.Ctl;

namespace Ctl.Tests;

/// <summary>What a run of the program printed, and how it ended.</summary>
internal sealed record CtlRun(int Exit, string Output, string Error)
{
    /// <summary>Runs it inside of the test's process.</summary>
    public static async Task<CtlRun> OfAsync(IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var channels = new Channels(output, error, TextReader.Null, environment ?? new Dictionary<string, string>());
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var exit = await CommandLineRunner.RunAsync(CtlProgram.Create(), arguments, channels, limit.Token);
        return new(exit, output.ToString(), error.ToString());
    }

    public static Task<CtlRun> OfAsync(params string[] arguments) => OfAsync(arguments, null);
}
