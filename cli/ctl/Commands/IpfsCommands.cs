using Cluster.CommandLine;
using Cluster.Ctl.Output;
using Cluster.Model;

namespace Cluster.Ctl.Commands;

/// <summary><c>ipfs gc</c>.</summary>
internal static class IpfsCommands
{
    public static Command Group { get; } = new("ipfs", "Manage IPFS daemon")
    {
        Subcommands =
        [
            new("gc", "run garbage collection on IPFS repos of cluster peers")
            {
                Description = Descriptions.IpfsGc,
                Options = [Option.Boolean("run operation only on the contacted peer", "local")],
                Action = Session.Command(async (invocation, session, cancel) =>
                {
                    var collected = await session.Client.CollectGarbageAsync(invocation.Boolean("local"), cancel);
                    if (session.Json)
                        await JsonOutput.WriteAsync(invocation.Output, collected, ModelJson.Write);
                    else
                        await invocation.Output.WriteAsync(TextOutput.Collected(collected));
                }),
            },
        ],
    };
}
