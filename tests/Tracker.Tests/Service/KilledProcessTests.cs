using System.Diagnostics;
using System.Text;
using Cluster.Contracts.V1;
using Cluster.Model.Configuration;
using Cluster.Tracker.Tests.Core;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Ipld;
using Libp2p;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Cluster.Tracker.Tests.Service;

/// <summary>The real executable, killed.</summary>
public sealed class KilledProcessTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("tr").FullName;
    private readonly FakeState _state = new();
    private readonly FakeConnector _connector = new() { PinTakes = TimeSpan.FromMilliseconds(3) };
    private readonly List<SocketServer> _servers = [];
    private readonly StringBuilder _log = new();
    private Process? _process;
    private GrpcChannel? _channel;

    public async Task InitializeAsync()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "run"));
        var surroundings = new ConfigurationSurroundings { Folder = _folder };
        var configuration = ConfigurationTemplate.Create("crdt", "pebble", new byte[32], surroundings);
        await File.WriteAllTextAsync(Path.Combine(_folder, "service.json"), configuration.ToJson());
        var id = PrivateKey.GenerateEd25519().PublicKey.PeerId;
        await File.WriteAllTextAsync(Path.Combine(_folder, "identity.json"), $$"""{"id": "{{id}}", "private_key": "not looked at"}""");
        _servers.Add(new SocketServer(Socket("consensus"), s => s.AddSingleton(_state), a => a.MapGrpcService<FakeState>()));
        _servers.Add(new SocketServer(Socket("connector"), s => s.AddSingleton(_connector), a => a.MapGrpcService<FakeConnector>()));
        foreach (var server in _servers)
            await server.StartAsync();
        _channel = SocketServer.Dial(Socket("tracker"));
    }

    public async Task DisposeAsync()
    {
        Kill();
        _channel?.Dispose();
        foreach (var server in _servers)
            await server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    [Trait("Category", "Slow")]
    public async Task Killed_again_and_again_it_pins_everything_and_reads_the_pinset_once()
    {
        const int Rounds = 5;
        var random = new Random(7);
        var wanted = new HashSet<Cid>();
        var next = 0;
        for (var round = 0; round < Rounds; round++)
        {
            Start();
            await StatusAsync(Bench.CidOf(0));
            for (var i = 0; i < 15; i++)
            {
                var pins = Enumerable.Range(next, 20).Select(Bench.CidOf).ToArray();
                next += 20;
                wanted.UnionWith(pins);
                _state.Put([.. pins.Select(c => FakeState.PinOf(c))]);
                // The first life gets as far as a number of its own; after that it may be killed at any point.
                if (next == 20)
                    await StatusAsync(pins[0]);
                var gone = Bench.CidOf(random.Next(next));
                if (wanted.Remove(gone))
                    _state.Remove(gone);
                await Task.Delay(random.Next(8));
            }

            Kill();
        }

        Start();
        await StatusAsync(Bench.CidOf(0));
        for (var begun = Stopwatch.GetTimestamp(); !IsPinned(wanted) && Stopwatch.GetElapsedTime(begun) < House.Patience;)
            await Task.Delay(20);
        Assert.True(IsPinned(wanted), Log);
        // Nothing is handled twice from the beginning: each life but the first begins at a number.
        Assert.Single(_state.WatchedAfter, after => after == 0);

        var pinned = new List<Cid>();
        using var call = Client.StatusAll(new TrackerStatusAllRequest { StatusMask = (int)TrackerStatus.Pinned, AtLeastSequence = _state.Sequence });
        await foreach (var page in call.ResponseStream.ReadAllAsync())
            pinned.AddRange(page.Items.Select(p => Cid.FromBytes(p.Cid.Span)));
        Assert.Equal(wanted.Order(), pinned);
    }

    [Fact]
    public async Task It_stops_in_order_and_refuses_a_folder_in_use()
    {
        Start();
        await StatusAsync(Bench.CidOf(0));
        using (var second = Process.Start(StartInfo("--config", _folder))!)
        {
            var error = await second.StandardError.ReadToEndAsync();
            await second.WaitForExitAsync();
            Assert.Equal(78, second.ExitCode);
            Assert.StartsWith("error opening the tracker's index: ", error, StringComparison.Ordinal);
        }

        _process!.StandardInput.Close();
        using (Process.Start("kill", ["-TERM", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]))
            await _process.WaitForExitAsync();
        Assert.Equal(0, _process.ExitCode);
    }

    private Contracts.V1.Tracker.TrackerClient Client => new(_channel!);

    private string Log
    {
        get
        {
            lock (_log)
                return _log.ToString();
        }
    }

    private string Socket(string name) => Path.Combine(_folder, "run", name + ".sock");

    private void Start()
    {
        _process = Process.Start(StartInfo("--config", _folder))!;
        _process.ErrorDataReceived += (_, line) =>
        {
            lock (_log)
                _log.AppendLine(line.Data);
        };
        _process.BeginErrorReadLine();
    }

    private static ProcessStartInfo StartInfo(params string[] arguments)
    {
        var assembly = Path.Combine(AppContext.BaseDirectory, "cluster-tracker.dll");
        return new ProcessStartInfo("dotnet", [assembly, .. arguments]) { RedirectStandardError = true, RedirectStandardInput = true };
    }

    private void Kill()
    {
        if (_process is { HasExited: false })
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process?.Dispose();
        _process = null;
    }

    private bool IsPinned(HashSet<Cid> wanted) => _connector.Pins.Keys.ToHashSet().SetEquals(wanted);

    private async Task<PinInfo> StatusAsync(Cid cid)
    {
        for (var begun = Stopwatch.GetTimestamp(); ;)
        {
            try
            {
                return await Client.StatusAsync(
                    new TrackerStatusRequest { Cid = ByteString.CopyFrom(cid.Bytes), AtLeastSequence = _state.Sequence }, deadline: House.Soon);
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.Unavailable && Stopwatch.GetElapsedTime(begun) < House.Patience && !_process!.HasExited)
            {
                await Task.Delay(20);
            }
        }
    }
}
