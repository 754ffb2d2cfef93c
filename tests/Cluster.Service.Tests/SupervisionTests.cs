using System.Net.Sockets;
using System.Text;
using Cluster.Hosting;

namespace Cluster.Service.Tests;

/// <summary>The daemon command with real processes.</summary>
public sealed class SupervisionTests
{
    private static readonly string[] executables = [.. ServiceName.All.Select(static s => s.Executable).Order()];

    [Theory]
    [InlineData(ServiceRun.SigInt)]
    [InlineData(ServiceRun.SigTerm)]
    [InlineData(ServiceRun.SigHup)]
    public async Task A_signal_stops_all_services_in_order_and_ends_with_0(int signal)
    {
        var folder = await ServiceRun.InitialisedAsync();
        await using var run = ServiceRun.Start(folder, ["daemon"]);
        await run.ReadyAsync();
        var services = run.Services();
        Assert.Equal(executables, services.Keys.Order());
        run.Signal(signal);
        Assert.Equal(0, await run.ExitAsync());
        Assert.All(services.Values, pid => Assert.False(Directory.Exists($"/proc/{pid}")));
        Assert.Contains("shutting down Cluster", run.Text, StringComparison.Ordinal);
        Assert.Equal(["identity.json", "peerstore", "service.json"], Directory.GetFileSystemEntries(folder).Select(Path.GetFileName).Order());
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_background_job_of_a_shell_listens_to_SIGINT_too()
    {
        var folder = await ServiceRun.InitialisedAsync();
        // A shell without job control ignores SIGINT for what it starts with an ampersand.
        await using var run = ServiceRun.Start(folder, ["daemon"], ignoringInterrupts: true);
        await run.ReadyAsync();
        run.Signal(ServiceRun.SigInt);
        Assert.Equal(0, await run.ExitAsync());
        Assert.Contains("shutting down Cluster", run.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_the_supervisor_bears_the_name_that_scripts_look_for()
    {
        var folder = await ServiceRun.InitialisedAsync();
        await using var run = ServiceRun.Start(folder, ["daemon"]);
        await run.ReadyAsync();
        Assert.All(run.Services().Keys, line => Assert.DoesNotContain("ipfs-cluster-service", line, StringComparison.Ordinal));
        Assert.StartsWith(ServiceRun.Program, await File.ReadAllTextAsync($"/proc/{run.Id}/cmdline"), StringComparison.Ordinal);
        run.Signal(ServiceRun.SigTerm);
        Assert.Equal(0, await run.ExitAsync());
    }

    [Fact]
    public async Task A_killed_service_is_started_again()
    {
        var folder = await ServiceRun.InitialisedAsync();
        await using var run = ServiceRun.Start(folder, ["daemon"]);
        await run.ReadyAsync();
        foreach (var (name, pid) in run.Services())
        {
            ServiceRun.Signal(pid, ServiceRun.SigKill);
            await run.PrintedAsync($"the {name["cluster-".Length..]} service (pid {pid}) ended with 137");
        }

        // The death is noticed at once; the new process is a child as soon as it is started.
        await run.ServicesAsync();
        Assert.Equal(executables, run.Services().Keys.Order());
        run.Signal(ServiceRun.SigTerm);
        Assert.Equal(0, await run.ExitAsync());
    }

    [Fact]
    public async Task A_service_whose_program_is_missing_for_a_while_is_started_when_it_is_back()
    {
        var folder = await ServiceRun.InitialisedAsync();
        var program = ServiceRun.CopyProgram();
        var tracker = Path.Combine(Path.GetDirectoryName(program)!, ServiceName.Tracker.Executable);
        await using var run = ServiceRun.Start(folder, ["daemon"], program: program);
        await run.ReadyAsync();
        File.Move(tracker, tracker + ".aside");
        ServiceRun.Signal(run.Services()[ServiceName.Tracker.Executable], ServiceRun.SigKill);
        await run.PrintedAsync($"{tracker}: ");
        File.Move(tracker + ".aside", tracker);
        await run.ServicesAsync();
        run.Signal(ServiceRun.SigTerm);
        Assert.Equal(0, await run.ExitAsync());
        Directory.Delete(Path.GetDirectoryName(program)!, recursive: true);
    }

    [Fact]
    public async Task No_service_outlives_a_killed_supervisor()
    {
        var folder = await ServiceRun.InitialisedAsync();
        await using var run = ServiceRun.Start(folder, ["daemon"]);
        await run.ReadyAsync();
        var services = run.Services();
        Assert.Equal(5, services.Count);
        run.Signal(ServiceRun.SigKill);
        await run.ExitAsync();
        await ServiceRun.GoneAsync(services.Values);
        // What it left behind does not hinder the next start.
        await using var next = ServiceRun.Start(folder, ["daemon"]);
        await next.ReadyAsync();
        next.Signal(ServiceRun.SigTerm);
        Assert.Equal(0, await next.ExitAsync());
    }

    [Fact]
    public async Task A_service_that_cannot_start_stops_the_peer_with_its_reason()
    {
        var folder = await ServiceRun.InitialisedAsync();
        await using var run = ServiceRun.Start(folder, ["daemon"], new() { ["STUB_GATEWAY"] = "refuse" });
        Assert.Equal(1, await run.ExitAsync());
        Assert.Contains("error creating the gateway stub: it refuses", run.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("READY", run.Text, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(folder, "cluster.lock")));
    }

    [Fact]
    public async Task A_service_that_crashes_at_its_start_is_tried_again_with_growing_pauses()
    {
        var folder = await ServiceRun.InitialisedAsync();
        await using var run = ServiceRun.Start(folder, ["daemon"], new() { ["STUB_MONITOR"] = "crash" });
        foreach (var pause in new[] { 0, 100, 200 })
            await run.PrintedAsync($"ended with 3: starting it again in {pause} ms");
        run.Signal(ServiceRun.SigTerm);
        Assert.Equal(0, await run.ExitAsync());
    }

    [Fact]
    public async Task A_peer_that_left_its_cluster_ends_with_0()
    {
        var folder = await ServiceRun.InitialisedAsync();
        await using var run = ServiceRun.Start(folder, ["daemon"], new() { ["STUB_CONSENSUS"] = "leave" });
        await run.ReadyAsync();
        await File.WriteAllTextAsync(Path.Combine(folder, "LEAVE"), "");
        Assert.Equal(0, await run.ExitAsync());
    }

    [Fact]
    public async Task The_second_signal_complains_and_the_third_ends_all_at_once()
    {
        var folder = await ServiceRun.InitialisedAsync();
        await using var run = ServiceRun.Start(folder, ["daemon"], new() { ["STUB_GATEWAY"] = "hang" });
        await run.ReadyAsync();
        var services = run.Services();
        run.Signal(ServiceRun.SigInt);
        await run.PrintedAsync("shutting down Cluster");
        run.Signal(ServiceRun.SigInt);
        await run.PrintedAsync("taking too long");
        run.Signal(ServiceRun.SigInt);
        Assert.Equal(1, await run.ExitAsync());
        Assert.Contains("exiting cluster NOW", run.Text, StringComparison.Ordinal);
        await ServiceRun.GoneAsync(services.Values);
    }

    [Fact]
    public async Task A_signal_ends_the_wait_for_a_configuration_that_does_not_come()
    {
        using var listener = new TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        var folder = await ServiceRun.InitialisedAsync();
        await File.WriteAllTextAsync(Path.Combine(folder, "service.json"), $$"""{"source": "http://{{listener.LocalEndpoint}}/"}""");
        await using var run = ServiceRun.Start(folder, ["daemon"]);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var asked = await listener.AcceptSocketAsync(limit.Token);
        run.Signal(ServiceRun.SigInt);
        Assert.Equal(0, await run.ExitAsync());
        Assert.DoesNotContain("could not fetch", run.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Systemd_is_told_of_readiness_and_stop()
    {
        var folder = await ServiceRun.InitialisedAsync();
        var path = Path.Combine(folder, "notify");
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        await using var run = ServiceRun.Start(folder, ["daemon"], new() { ["NOTIFY_SOCKET"] = path });
        Assert.Equal("READY=1", await ReceiveAsync());
        run.Signal(ServiceRun.SigTerm);
        Assert.Equal("STOPPING=1", await ReceiveAsync());
        Assert.Equal(0, await run.ExitAsync());

        async Task<string> ReceiveAsync()
        {
            var buffer = new byte[64];
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            return Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer, limit.Token));
        }
    }

    [Fact]
    public async Task A_second_daemon_finds_the_folder_locked()
    {
        var folder = await ServiceRun.InitialisedAsync();
        await using var run = ServiceRun.Start(folder, ["daemon"]);
        await run.ReadyAsync();
        await using var second = ServiceRun.Start(folder, ["daemon"]);
        Assert.Equal(1, await second.ExitAsync());
        Assert.Contains($"error obtaining execution lock: lock {folder}/cluster.lock: someone else has the lock", second.Text, StringComparison.Ordinal);
        Assert.Equal(5, run.Services().Count);
        run.Signal(ServiceRun.SigTerm);
        Assert.Equal(0, await run.ExitAsync());
    }

    [Theory]
    [InlineData("raft", "has no section consensus.raft")]
    [InlineData("paxos", "flag value must be set to 'raft' or 'crdt'")]
    public async Task The_consensus_flag_must_agree_with_the_configuration(string consensus, string reason)
    {
        var folder = await ServiceRun.InitialisedAsync();
        await using var run = ServiceRun.Start(folder, ["daemon", "--consensus", consensus]);
        Assert.Equal(1, await run.ExitAsync());
        Assert.Contains(reason, run.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_consensus_flag_picks_one_of_two_sections()
    {
        var folder = await ServiceRun.InitialisedAsync();
        var path = Path.Combine(folder, "service.json");
        var text = await File.ReadAllTextAsync(path);
        await File.WriteAllTextAsync(path, text.Replace("\"consensus\": {", "\"consensus\": { \"raft\": {},", StringComparison.Ordinal));
        await using (var undecided = ServiceRun.Start(folder, ["daemon"]))
        {
            Assert.Equal(1, await undecided.ExitAsync());
            Assert.Contains("could not determine the consensus component", undecided.Text, StringComparison.Ordinal);
        }

        await using var run = ServiceRun.Start(folder, ["daemon", "--consensus=crdt"]);
        await run.ReadyAsync();
        run.Signal(ServiceRun.SigTerm);
        Assert.Equal(0, await run.ExitAsync());
    }
}
