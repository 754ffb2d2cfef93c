using Cluster.CommandLine;
using Cluster.Ctl.Output;
using Cluster.Model;
using Ipld;

namespace Cluster.Ctl.Commands;

/// <summary><c>status</c> and <c>recover</c>.</summary>
internal static class StatusCommands
{
    private static readonly Option Local = Option.Boolean("run operation only on the contacted peer", "local");

    public static Command Status { get; } = new("status", "Retrieve the status of tracked items")
    {
        Description = Descriptions.Status,
        Arguments = "[CID1] [CID2]...",
        Options = [Local, Option.Text("comma-separated list of filters", "filter")],
        Action = Session.Command(async (invocation, session, cancel) =>
        {
            var local = invocation.Boolean("local");
            var cids = invocation.Arguments.Select(text => ParseCid(text, "parsing cid")).ToArray();
            if (cids.Length == 1)
            {
                await PrintAsync(invocation, session, await session.Client.StatusAsync(cids[0], local, cancel));
                return;
            }

            if (!TrackerStatuses.TryParseFilter(invocation.Text("filter"), out var filter) && cids.Length == 0)
                throw new CommandException("parsing filter flag", "invalid filter name");
            var statuses = cids.Length > 0 ? session.Client.StatusAsync(cids, local, cancel) : session.Client.StatusAllAsync(filter, local, cancel);
            await foreach (var status in statuses)
                await PrintAsync(invocation, session, status);
        }),
    };

    public static Command Recover { get; } = new("recover", "Recover tracked items in error state")
    {
        Description = Descriptions.Recover,
        Arguments = "[CID]",
        Options = [Local],
        Action = Session.Command(async (invocation, session, cancel) =>
        {
            var local = invocation.Boolean("local");
            if (invocation.Argument(0) is { Length: > 0 } text)
            {
                await PrintAsync(invocation, session, await session.Client.RecoverAsync(ParseCid(text, "parsing cid"), local, cancel));
                return;
            }

            await foreach (var status in session.Client.RecoverAllAsync(local, cancel))
                await PrintAsync(invocation, session, status);
        }),
    };

    /// <exception cref="CommandException">It is no CID.</exception>
    public static Cid ParseCid(string text, string doing) =>
        Cid.TryParse(text, out var cid, out var error) ? cid : throw new CommandException(doing, error);

    public static async Task PrintAsync(Invocation invocation, Session session, GlobalPinInfo status)
    {
        if (session.Json)
        {
            await JsonOutput.WriteAsync(invocation.Output, status, ModelJson.Write);
            return;
        }

        await invocation.Output.WriteAsync(TextOutput.Status(status));
        await invocation.Output.FlushAsync();
    }
}
