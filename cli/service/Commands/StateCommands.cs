using Cluster.CommandLine;
using Cluster.Hosting;
using Cluster.Hosting.Configuration;
using Cluster.Service.Folder;

namespace Cluster.Service.Commands;

/// <summary><c>state</c>: works on the data of a peer that does not run (spec/service-cli.md 2.3 to 2.6).</summary>
internal static class StateCommands
{
    public static Command Create() => new("state", "Manages the peer's persistent state (pinset)")
    {
        DescribedByUsage = false,
        Subcommands =
        [
            new Command("crdt", "CRDT-state commands")
            {
                DescribedByUsage = false,
                Before = CheckCrdtAsync,
                Subcommands =
                [
                    Crdt("info", "Print information about the CRDT store"),
                    Crdt("dot", "Write the CRDT-DAG as DOT file") with { Options = [Option.Text("writes to an output file", "file", "f")] },
                    Crdt("mark-dirty", "Marks the CRDT-store as dirty"),
                    Crdt("mark-clean", "Marks the CRDT-store as clean"),
                ],
            },
            StateExportCommand.Create(),
            StateImportCommand.Create(),
            StateCleanupCommand.Create(),
        ],
    };

    /// <summary>Everything below <c>state crdt</c> looks at the folder first, even the help.</summary>
    private static async Task<int?> CheckCrdtAsync(Invocation invocation, CancellationToken cancellationToken)
    {
        var check = CommandRun.Reporting(async (_, run, token) =>
        {
            var (configuration, _) = await ConfigurationFile.LoadAsync(
                run.Folder.Root,
                invocation.Channels.Environment,
                checkTlsFiles: true,
                line => ConfigurationLog.Write(run.Loggers, line, alreadySaid: false),
                token);
            await IdentityFile.EnsureAsync(run.Folder, invocation.Channels.Environment, invocation.Error, token);
            return configuration.Consensus == "crdt"
                ? 0
                : throw new ServiceStartException("", "crdt subcommands can only be run on peers initialized with crdt consensus");
        });
        return await check(invocation, cancellationToken) is var code && code != 0 ? code : null;
    }

    private static Command Crdt(string name, string usage) => new(name, usage) { Action = Locked("opening the CRDT store") };

    /// <summary>The state stays as it is while a daemon runs.</summary>
    private static Func<Invocation, CancellationToken, Task<int>> Locked(string doing) => CommandRun.Reporting((_, run, _) =>
    {
        using var held = ExecutionLock.Take(run.Folder.Root);
        throw new ServiceStartException(
            doing, "this version reads and writes the state through a running peer only: use the contract ipfscluster.v1.State (Export, Import)");
    });
}
