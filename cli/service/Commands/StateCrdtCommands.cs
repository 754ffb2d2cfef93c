using System.Text;
using Cluster.CommandLine;
using Cluster.CrdtState;
using Cluster.Hosting;
using Cluster.PinState;
using Cluster.Service.Folder;
using Cluster.Service.State;
using Cluster.Storage;
using Crdt;
using Microsoft.Extensions.Logging;

namespace Cluster.Service.Commands;

/// <summary><c>state crdt</c>: a look at the replicated set (spec/service-cli.md 2.6).</summary>
internal static class StateCrdtCommands
{
    public static Command Create() => new("crdt", "CRDT-state commands")
    {
        DescribedByUsage = false,
        Before = CheckAsync,
        Subcommands =
        [
            new Command("info", "Print information about the CRDT store") { Action = Opened(PrintInfoAsync) },
            new Command("dot", "Write the CRDT-DAG as DOT file")
            {
                Options = [Option.Text("writes to an output file", "file", "f")],
                Action = Opened(WriteDotAsync),
            },
            new Command("mark-dirty", "Marks the CRDT-store as dirty") { Action = Opened((invocation, run, store, _) => MarkAsync(invocation, run, store, dirty: true)) },
            new Command("mark-clean", "Marks the CRDT-store as clean") { Action = Opened((invocation, run, store, _) => MarkAsync(invocation, run, store, dirty: false)) },
        ],
    };

    /// <summary>Everything below <c>state crdt</c> looks at the folder first, even the help.</summary>
    private static async Task<int?> CheckAsync(Invocation invocation, CancellationToken cancellationToken)
    {
        var check = CommandRun.Reporting(async (_, run, token) =>
            (await OfflinePeer.LoadAsync(invocation, run, consensus: "", token)).IsCrdt
                ? 0
                : throw new ServiceStartException("", "crdt subcommands can only be run on peers initialized with crdt consensus"));
        return await check(invocation, cancellationToken) is var code && code != 0 ? code : null;
    }

    private static Func<Invocation, CancellationToken, Task<int>> Opened(Func<Invocation, CommandRun, PinStore, CancellationToken, Task> command) =>
        CommandRun.Reporting(async (invocation, run, cancellationToken) =>
        {
            using var held = ExecutionLock.Take(run.Folder.Root);
            var peer = await OfflinePeer.LoadAsync(invocation, run, consensus: "", cancellationToken);
            using var database = peer.OpenDatabase();
            try
            {
                await command(invocation, run, PinStore.Open(database), cancellationToken);
                return 0;
            }
            catch (Exception error) when (error is StorageException or CrdtFormatException or IOException)
            {
                throw new ServiceStartException("reading the CRDT store", error.Message, error);
            }
        });

    private static async Task PrintInfoAsync(Invocation invocation, CommandRun run, PinStore store, CancellationToken cancellationToken)
    {
        var crdt = MerkleCrdt.Open(new CrdtReader(store));
        var heads = string.Join(' ', crdt.Heads.Keys.Select(static head => head.ToCid().ToString()));
        await invocation.Output.WriteAsync(
            $"Number of heads: {crdt.Heads.Count}. Current max-height: {crdt.MaxHeight}. Dirty: {(crdt.IsDirty ? "true" : "false")}\nHeads: [{heads}]");
    }

    private static async Task WriteDotAsync(Invocation invocation, CommandRun run, PinStore store, CancellationToken cancellationToken)
    {
        var path = invocation.Text("file");
        await using var file = path.Length > 0 ? StateExportCommand.Create(path) : null;
        var service = run.Loggers.CreateLogger("service");
        StateLog.WritingDot(service);
        var utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        await using (var writer = new StreamWriter(file ?? invocation.Channels.OutputBytes, utf8, 64 << 10, leaveOpen: true))
            await DagDrawing.WriteAsync(new CrdtReader(store), writer, cancellationToken);
        StateLog.WroteDot(service, path);
    }

    private static async Task MarkAsync(Invocation invocation, CommandRun run, PinStore store, bool dirty)
    {
        using (var transaction = store.Begin())
        {
            var keys = new CrdtTransaction(store.Database, transaction.Batch, transaction.CompanionKeys);
            var crdt = MerkleCrdt.Open(keys);
            var logger = run.Loggers.CreateLogger("crdt");
            if (dirty)
            {
                StateLog.MarkingDirty(logger);
                crdt.MarkDirty(keys);
            }
            else
            {
                StateLog.MarkingClean(logger);
                crdt.MarkClean(keys);
            }

            transaction.Commit(Durability.Synced);
        }

        await invocation.Output.WriteAsync(dirty ? "Datastore marked 'dirty'\n" : "Datastore marked 'clean'\n");
    }
}
