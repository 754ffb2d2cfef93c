using Cluster.CommandLine;
using Cluster.Ctl.Commands;
using Cluster.Model;
using Cluster.RestClient;

namespace Cluster.Ctl;

/// <summary>The program: its global options and commands (spec/ctl.md 1, 3).</summary>
public static class CtlProgram
{
    public const string Name = "ipfs-cluster-ctl";

    public const string Version = "1.1.6";

    private const string DefaultHost = "/ip4/127.0.0.1/tcp/9094";

    private static readonly string About = $"""

        ipfs-cluster-ctl is a tool to manage IPFS Cluster nodes.

        Use "ipfs-cluster-ctl help" to list all available commands and
        "ipfs-cluster-ctl help <command>" to get usage information for a
        specific one.

        ipfs-cluster-ctl uses the IPFS Cluster API to perform requests and
        display responses in a user-readable format. The location of the IPFS
        Cluster server is assumed to be {DefaultHost}, but can be configured
        with the --host option. If several multiaddresses are specified{' '}
        (comma-separated), requests will be sent to the first one and fail-over{' '}
        over to the others. This also works for dns-based addresses which resolve
        to multiple values.

        To use the secure libp2p-http API endpoint, use "--host" with{' '}
        the full cluster libp2p listener address, including the "/p2p/<peerID>"
        part, or a /dnsaddr that resolves to it. Provide the cluster secret with{' '}
        --secret as needed.

        For feedback, bug reports or any additional information, visit
        https://github.com/ipfs-cluster/ipfs-cluster.

        """;

    public static CommandLine.Program Create()
    {
        CommandLine.Program? program = null;
        Command[] commands =
        [
            PeerCommands.Id, PeerCommands.Group, AddCommand.Create(), PinCommands.Group, StatusCommands.Status, StatusCommands.Recover,
            PeerCommands.VersionOfPeer, HealthCommands.Group, IpfsCommands.Group,
            new("commands", "List all commands")
            {
                Arguments = " ",
                Hidden = true,
                Action = async (invocation, _) =>
                {
                    foreach (var line in CommandLineRunner.AllCommands(program!))
                        await invocation.Output.WriteAsync(line + "\n");
                    return ExitCodes.Success;
                },
            },
        ];
        program = new(Name, "CLI for IPFS Cluster", Version)
        {
            Description = About,
            Options =
            [
                Option.Text("API endpoint multiaddresses (comma-separated)", "host", "l") with { Default = DefaultHost },
                Option.Text("cluster secret (32 byte pnet-key) as needed. Only when using the LibP2P endpoint", "secret"),
                Option.Boolean("use https to connect to the API", "https", "s"),
                Option.Boolean("do not verify server TLS certificate. only valid with --https flag", "no-check-certificate"),
                Option.Text("output format encoding [text, json]", "encoding", "enc") with { Default = "text" },
                Option.Integer("number of seconds to wait before timing out a request", "timeout", "t"),
                Option.Boolean("set debug log level", "debug", "d"),
                Option.Text(
                    "<username>[:<password>] specify BasicAuth credentials for server that\nrequires authorization. implies --https, which you can disable with --force-http",
                    "basic-auth") with { Environment = "CLUSTER_CREDENTIALS" },
                Option.Boolean("force HTTP. only valid when using BasicAuth", "force-http", "f"),
            ],
            Commands = commands,
            Before = StartAsync,
        };
        return program;
    }

    // Checks the global options and makes the client, in the original's order of complaints.
    private static async Task<int?> StartAsync(Invocation invocation, CancellationToken cancel)
    {
        var debug = invocation.Boolean("debug");
        if (debug)
            Logs.Write(invocation.Error, "DEBUG", "cluster-ctl", "debug level enabled");

        var secret = invocation.Text("secret");
        if (HexComplaint(secret) is { } badSecret)
            return await Session.FailAsync(invocation, "parsing secret", badSecret, ExitCodes.Failure);
        if (invocation.Text("encoding") is not ("text" or "json"))
            return await Session.FailAsync(invocation, string.Empty, "unsupported encoding", ExitCodes.Failure);

        var credentials = Credentials(invocation.Text("basic-auth"));
        var endpointOptions = new EndpointOptions
        {
            Https = invocation.Boolean("https") || (credentials is not null && !invocation.Boolean("force-http")),
            SkipCertificateCheck = invocation.Boolean("no-check-certificate"),
            Environment = invocation.Channels.Environment,
        };
        var endpoints = new List<RestEndpoint>();
        Libp2pTransport? libp2p = null;
        foreach (var host in invocation.Text("host").Split(','))
        {
            if (!GoAddresses.TryParseMultiaddr(host, out var address, out var complaint))
                return await Session.FailAsync(invocation, "parsing host multiaddress", complaint, ExitCodes.Failure);
            try
            {
                if (!EndpointResolver.IsLibp2p(address))
                {
                    endpoints.AddRange(await EndpointResolver.ResolveAsync(address, endpointOptions, cancel));
                    continue;
                }

                if (secret.Length is not (0 or 64))
                    return await Session.FailAsync(invocation, "creating API client", "length of ProtectorKey should be 32", ExitCodes.Failure);
                libp2p ??= Libp2pTransport.Create(secret);
                endpoints.AddRange(await libp2p.ResolveAsync(address, cancel));
            }
            catch (RequestException e)
            {
                return await Session.FailAsync(invocation, "creating configs", e.Message, ExitCodes.Failure);
            }
        }

        var timeout = invocation.Integer("timeout");
        var client = new ClusterClient(endpoints, new ClusterClientOptions
        {
            Credentials = credentials,
            Timeout = timeout > 0 ? TimeSpan.FromSeconds(timeout) : null,
            Log = (isError, text) =>
            {
                if (isError || debug)
                    Logs.Write(invocation.Error, isError ? "ERROR" : "DEBUG", "apiclient", text);
            },
        });
        invocation.State = new Session(client, invocation.Text("encoding") == "json", endpointOptions, libp2p, TimeProvider.System);
        return null;
    }

    private static (string User, string Password)? Credentials(string text)
    {
        if (text.Length == 0)
            return null;
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? (text, string.Empty) : (text[..colon], text[(colon + 1)..]);
    }

    private static string? HexComplaint(string text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiHexDigit(c))
                return $"encoding/hex: invalid byte: U+{(int)c:X4} '{c}'";
        }

        return text.Length % 2 == 0 ? null : "encoding/hex: odd length hex string";
    }
}
