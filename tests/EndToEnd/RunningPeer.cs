using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using LocalIpfs;

namespace Cluster.EndToEnd.Tests;

/// <summary>
/// A peer as a user has it: <c>ipfs-cluster-service init</c> in a folder of its own, <c>daemon</c>, its five services. Its ports are its
/// own until it is disposed; what it logs is kept for the report of a failing test.
/// </summary>
public sealed class RunningPeer : IAsyncDisposable
{
    private static readonly TimeSpan ReadyDeadline = TimeSpan.FromMinutes(4);

    private readonly StringBuilder log = new();
    private readonly Channel<string> lines = Channel.CreateUnbounded<string>();
    private readonly PortBlock ports;
    private Process? daemon;

    private RunningPeer(string folder, PortBlock ports)
    {
        Folder = folder;
        this.ports = ports;
        Http = NewClient();
    }

    /// <summary>The configuration folder.</summary>
    public string Folder { get; }

    public int RestPort => ports.First;

    /// <summary>Where it listens for other peers, on loopback.</summary>
    public int SwarmPort => ports.First + 1;

    /// <summary>Its peer id.</summary>
    public string Id { get; private set; } = "";

    /// <summary>Whether the supervisor runs.</summary>
    public bool Runs => daemon is { HasExited: false };

    public Uri Rest => new($"http://127.0.0.1:{RestPort}/");

    public HttpClient Http { get; private set; }

    /// <summary>Time from the start of the daemon until it said READY.</summary>
    public TimeSpan TimeToReady { get; private set; }

    /// <summary>The process id of the supervisor.</summary>
    public int Pid => daemon?.Id ?? throw new InvalidOperationException("The peer does not run.");

    public string Log
    {
        get
        {
            lock (log) return log.ToString();
        }
    }

    /// <summary>Initialises a folder for a peer beside the daemon at <paramref name="ipfsApi"/> (a multiaddress), and starts it.</summary>
    public static async Task<RunningPeer> StartAsync(string ipfsApi, Action<JsonObject>? configure = null)
    {
        var peer = await InitialiseAsync(ipfsApi, configure);
        await peer.StartDaemonAsync();
        return peer;
    }

    /// <summary>Initialises a folder for a peer that does not run yet.</summary>
    public static async Task<RunningPeer> InitialiseAsync(string ipfsApi, Action<JsonObject>? configure = null)
    {
        var folder = Directory.CreateTempSubdirectory("cluster-peer-").FullName;
        var peer = new RunningPeer(folder, PortBlock.Take());
        var init = await Programs.RunAsync(Programs.Service, ["--config", folder, "init", "--force"]);
        Assert.True(init.ExitCode == 0, $"init failed: {init.Output}");
        var path = Path.Combine(folder, "service.json");
        var json = JsonNode.Parse(await File.ReadAllTextAsync(path))!.AsObject();
        json["cluster"]!["listen_multiaddress"] = new JsonArray($"/ip4/127.0.0.1/tcp/{peer.SwarmPort}");
        json["cluster"]!["mdns_interval"] = "0s";
        json["cluster"]!["peername"] = "peer1";
        json["api"]!["restapi"]!["http_listen_multiaddress"] = $"/ip4/127.0.0.1/tcp/{peer.RestPort}";
        json["api"]!["ipfsproxy"]!["listen_multiaddress"] = $"/ip4/127.0.0.1/tcp/{peer.ports.First + 2}";
        json["api"]!["ipfsproxy"]!["node_multiaddress"] = ipfsApi;
        json["api"]!["pinsvcapi"]!["http_listen_multiaddress"] = $"/ip4/127.0.0.1/tcp/{peer.ports.First + 3}";
        json["ipfs_connector"]!["ipfshttp"]!["node_multiaddress"] = ipfsApi;
        json["observations"]!["metrics"]!["prometheus_endpoint"] = $"/ip4/127.0.0.1/tcp/{peer.ports.First + 4}";
        configure?.Invoke(json);
        await File.WriteAllTextAsync(path, json.ToJsonString(new() { WriteIndented = true }));
        var identity = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "identity.json")))!;
        peer.Id = identity["id"]!.GetValue<string>();
        return peer;
    }

    /// <summary>Changes the configuration, for the next start.</summary>
    public async Task ConfigureAsync(Action<JsonObject> configure)
    {
        var path = Path.Combine(Folder, "service.json");
        var json = JsonNode.Parse(await File.ReadAllTextAsync(path))!.AsObject();
        configure(json);
        await File.WriteAllTextAsync(path, json.ToJsonString(new() { WriteIndented = true }));
    }

    /// <summary>Starts the daemon on the folder and waits until it says READY.</summary>
    public async Task StartDaemonAsync(params string[] options)
    {
        var begin = Stopwatch.GetTimestamp();
        while (lines.Reader.TryRead(out _)) { } // what the last run said
        daemon = Programs.Start(Programs.Service, ["--config", Folder, "daemon", .. options], Take, Take);
        using var deadline = new CancellationTokenSource(ReadyDeadline);
        try
        {
            await foreach (var line in lines.Reader.ReadAllAsync(deadline.Token))
            {
                if (!line.Contains("IPFS Cluster is READY", StringComparison.Ordinal)) continue;
                TimeToReady = Stopwatch.GetElapsedTime(begin);
                return;
            }
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"The peer was not READY within {ReadyDeadline}. It said:\n{Log}");
        }
    }

    /// <summary>The five services: process name to process id.</summary>
    public IReadOnlyDictionary<string, int> Services() => Processes.ChildrenOf(Pid)
        .Where(child => child.Name.StartsWith("cluster-", StringComparison.Ordinal))
        .GroupBy(child => child.Name).ToDictionary(group => group.Key, group => group.Last().Pid);

    /// <summary>Asks the daemon to end as a user would, with SIGINT; the exit code.</summary>
    public async Task<int> StopDaemonAsync()
    {
        var process = daemon ?? throw new InvalidOperationException("The peer does not run.");
        Processes.Signal(process.Id, Processes.SigInt);
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        await process.WaitForExitAsync(deadline.Token);
        daemon = null;
        return process.ExitCode;
    }

    /// <summary>Kills the supervisor itself; its services must end with it.</summary>
    public async Task KillDaemonAsync()
    {
        var process = daemon ?? throw new InvalidOperationException("The peer does not run.");
        var services = Services().Values.ToArray();
        Processes.Signal(process.Id, Processes.SigKill);
        await process.WaitForExitAsync();
        daemon = null;
        await Processes.WaitForEndAsync(services, TimeSpan.FromMinutes(2));
    }

    /// <summary>A client with connections of its own, for use while the gateway is being killed.</summary>
    public HttpClient NewClient() => new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5) })
    {
        BaseAddress = Rest,
        Timeout = TimeSpan.FromMinutes(2),
    };

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (daemon is { HasExited: false })
        {
            try
            {
                await StopDaemonAsync();
            }
            catch (OperationCanceledException)
            {
                await KillDaemonAsync();
            }
        }
        ports.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    private void Take(string line)
    {
        lock (log) log.AppendLine(CultureInfo.InvariantCulture, $"{line}");
        lines.Writer.TryWrite(line);
    }
}
