using Cluster.CommandLine;
using Cluster.Ctl.Output;
using Cluster.Model;

namespace Cluster.Ctl.Commands;

/// <summary><c>id</c>, <c>version</c> and <c>peers</c>.</summary>
internal static class PeerCommands
{
    public static Command Id { get; } = new("id", "Retrieve peer information")
    {
        Description = Descriptions.Id,
        Action = Session.Command(async (invocation, session, cancel) =>
            await PrintAsync(invocation, session, await session.Client.IdAsync(cancel))),
    };

    public static Command VersionOfPeer { get; } = new("version", "Retrieve cluster version")
    {
        Description = Descriptions.Version,
        Arguments = " ",
        Action = Session.Command(async (invocation, session, cancel) =>
        {
            var version = await session.Client.VersionAsync(cancel);
            if (!session.Json)
            {
                await invocation.Output.WriteAsync(version + "\n");
                return;
            }

            await JsonOutput.WriteAsync(invocation.Output, version, static (output, text) =>
            {
                var json = new GoJsonWriter(output);
                json.Raw("{\"version\":"u8);
                json.String(text);
                json.Raw((byte)'}');
                json.Flush();
            });
        }),
    };

    public static Command Group { get; } = new("peers", "List and manage IPFS Cluster peers")
    {
        Subcommands =
        [
            new("ls", "list the nodes participating in the IPFS Cluster")
            {
                Description = Descriptions.PeersList,
                Arguments = " ",
                Action = Session.Command(async (invocation, session, cancel) =>
                {
                    await foreach (var peer in session.Client.PeersAsync(cancel))
                        await PrintAsync(invocation, session, peer);
                }),
            },
            new("rm", "remove a peer from the Cluster")
            {
                Description = Descriptions.PeersRemove,
                Arguments = "<peer ID>",
                Action = Session.Command(async (invocation, session, cancel) =>
                {
                    if (!GoAddresses.TryParsePeerId(invocation.Argument(0), out var peer, out var error))
                        throw new CommandException("parsing peer ID", error);
                    await session.Client.RemovePeerAsync(peer, cancel);
                }),
            },
        ],
    };

    private static async Task PrintAsync(Invocation invocation, Session session, PeerInfo peer)
    {
        if (session.Json)
        {
            await JsonOutput.WriteAsync(invocation.Output, peer, ModelJson.Write);
            return;
        }

        await invocation.Output.WriteAsync(TextOutput.Peer(peer));
        await invocation.Output.FlushAsync();
    }
}
