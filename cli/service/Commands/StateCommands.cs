using Cluster.CommandLine;

namespace Cluster.Service.Commands;

/// <summary><c>state</c>: works on the data of a peer that does not run (spec/service-cli.md 2.3 to 2.6).</summary>
internal static class StateCommands
{
    public static Command Create() => new("state", "Manages the peer's persistent state (pinset)")
    {
        DescribedByUsage = false,
        Subcommands = [StateCrdtCommands.Create(), StateExportCommand.Create(), StateImportCommand.Create(), StateCleanupCommand.Create()],
    };
}
