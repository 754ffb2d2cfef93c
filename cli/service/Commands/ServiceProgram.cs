using Cluster.CommandLine;
using Cluster.Hosting;
using CommandLineProgram = Cluster.CommandLine.Program;

namespace Cluster.Service.Commands;

/// <summary>The command line of <c>ipfs-cluster-service</c> (spec/service-cli.md 1).</summary>
internal static class ServiceProgram
{
    public const string Version = "1.1.6";

    public static CommandLineProgram Create() => new("ipfs-cluster-service", "IPFS Cluster peer", Version)
    {
        Description = Texts.Of("program"),
        Options =
        [
            Option.Text("path to the configuration and data `FOLDER`", "config", "c") with { Default = DefaultFolder(), Environment = ServiceOptions.FolderVariable },
            Option.Boolean("forcefully proceed with some actions. i.e. overwriting configuration", "force", "f"),
            Option.Boolean("enable full debug logging (very verbose)", "debug", "d"),
            Option.Text("set overall and component-wise log levels", "loglevel", "l") with { Environment = ServiceOptions.LogLevelVariable },
        ],
        Commands =
        [
            InitCommand.Create(),
            DaemonCommand.Create(),
            StateCommands.Create(),
            new Command("version", "Prints the ipfs-cluster version") { Action = PrintVersionAsync },
        ],
        Before = CommandRun.BeginAsync,
        Action = HelpAsync,
        // As in the original: scripts written for it rely on the code, not on its sense.
        IncorrectUsageCode = 0,
        HelpForUnknownCommandCode = 1,
    };

    private static async Task<int> HelpAsync(Invocation invocation, CancellationToken cancellationToken)
    {
        await CommandLineRunner.RunAsync(Create() with { Before = null }, ["help"], invocation.Channels, cancellationToken);
        return 1;
    }

    private static async Task<int> PrintVersionAsync(Invocation invocation, CancellationToken cancellationToken)
    {
        await invocation.Output.WriteAsync(Version + "\n");
        return 0;
    }

    private static string DefaultFolder()
    {
        var home = Environment.GetEnvironmentVariable("HOME") is { Length: > 0 } set ? set : Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return Path.Combine(home, ".ipfs-cluster");
    }
}
