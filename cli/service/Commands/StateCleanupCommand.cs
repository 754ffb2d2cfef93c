using Cluster.CommandLine;
using Cluster.Hosting;
using Cluster.Service.Folder;
using Cluster.Service.State;
using Cluster.Storage;
using Microsoft.Extensions.Logging;

namespace Cluster.Service.Commands;

/// <summary><c>state cleanup</c>: an empty state, as at a first start (spec/service-cli.md 2.5).</summary>
internal static class StateCleanupCommand
{
    public static Command Create() => new("cleanup", "remove persistent data")
    {
        Description = Texts.Of("cleanup"),
        Options = [Option.Boolean("skip confirmation prompt", "force", "f"), OfflinePeer.ConsensusOption],
        Action = CommandRun.Reporting(RunAsync),
    };

    private static async Task<int> RunAsync(Invocation invocation, CommandRun run, CancellationToken cancellationToken)
    {
        using var held = ExecutionLock.Take(run.Folder.Root);
        if (!invocation.Boolean("force")
            && !await Confirmation.AskAsync(invocation, "The peer state will be removed.  Existing pins may be lost.", cancellationToken))
            return 0;

        var peer = await OfflinePeer.LoadAsync(invocation, run, invocation.Text("consensus"), cancellationToken);
        using var database = peer.OpenDatabase();
        try
        {
            PinsetReplacement.Clean(peer, database, run.Loggers.CreateLogger("crdt"));
        }
        catch (StorageException error)
        {
            throw new ServiceStartException("cleaning state", error.Message, error);
        }

        StateLog.Cleaned(run.Loggers.CreateLogger("service"));
        return 0;
    }
}
