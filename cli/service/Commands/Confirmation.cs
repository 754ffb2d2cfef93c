using Cluster.CommandLine;

namespace Cluster.Service.Commands;

/// <summary>Asks on the terminal, as the original does (spec/service-cli.md 1).</summary>
internal static class Confirmation
{
    private const int MaximumTries = 3;

    /// <summary>Asks until it gets <c>y</c> or <c>n</c>, three times at most; no answer is a no.</summary>
    public static async Task<bool> AskAsync(Invocation invocation, string text, CancellationToken cancellationToken)
    {
        // When the input ends after an answer, that answer stands.
        var answer = "";
        for (var i = 0; i < MaximumTries; i++)
        {
            await invocation.Output.WriteAsync($"{text} Continue? [y/n]: ");
            await invocation.Output.FlushAsync(cancellationToken);
            // The first word counts.
            answer = (await invocation.Channels.Input.ReadLineAsync(cancellationToken))?.Trim().Split(' ', '\t')[0] ?? answer;
            switch (answer)
            {
                case "y" or "Y":
                    return true;
                case "n" or "N" or "":
                    return false;
                default:
                    await invocation.Output.WriteAsync("Please press either 'y' or 'n'\n");
                    break;
            }
        }

        return false;
    }
}
