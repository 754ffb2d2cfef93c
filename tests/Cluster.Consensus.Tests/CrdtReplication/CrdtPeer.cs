using Cluster.Consensus.CrdtReplication;
using Cluster.Consensus.Metrics;
using Cluster.Consensus.Replication;
using Cluster.CrdtState;
using Cluster.CrdtState.Tests;
using Cluster.Model;
using Cluster.PinState;
using Cluster.PinState.Transfer;
using Cluster.Storage;
using Crdt;
using Libp2p;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cluster.Consensus.Tests.CrdtReplication;

/// <summary>One peer's replicated set on a real database; others are reached through a <see cref="MemoryNetwork"/>.</summary>
internal sealed class CrdtPeer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private readonly string _root = Directory.CreateTempSubdirectory("crdt-peer-test-").FullName;
    private readonly MemoryNetwork _network;
    private readonly CrdtSettings _settings;
    private readonly ILogger _logger;
    private int _lives;

    public CrdtPeer(int number, MemoryNetwork network, CrdtSettings? settings = null, ILogger? logger = null, bool join = true)
    {
        Id = Peer.Id(number);
        _network = network;
        _settings = settings ?? new CrdtSettings();
        _logger = logger ?? NullLogger.Instance;
        Open(Path.Combine(_root, "0"), join);
    }

    public PeerId Id { get; }

    public Database Database { get; private set; } = null!;

    public PinStore State { get; private set; } = null!;

    public CrdtConsensus Consensus { get; private set; } = null!;

    public MetricSnapshot Metrics { get; private set; } = null!;

    public CrdtReader Set => new(State);

    public IReadOnlyDictionary<BlockId, ulong> Heads => MerkleCrdt.Open(Set).Heads;

    public int Missing => MerkleCrdt.Open(Set).Missing.Count;

    public static Pin Pin(int number, string name = "") =>
        Model.Pin.WithOptions(Peer.Cid(number), new PinOptions { Name = name, Replication = ReplicationFactors.Everywhere });

    public Task PinAsync(int number, string name = "") =>
        Consensus.CommitAsync([StateOperation.Put(Pin(number, name))], CancellationToken.None).AsTask();

    public Task UnpinAsync(int number) => Consensus.CommitAsync([StateOperation.Remove(Peer.Cid(number))], CancellationToken.None).AsTask();

    /// <summary>The pinset as an export.</summary>
    public string Export() => Export(State);

    public static string Export(PinStore state)
    {
        using var output = new MemoryStream();
        StateExport.RunAsync(state, output, CancellationToken.None).GetAwaiter().GetResult();
        return System.Text.Encoding.UTF8.GetString(output.ToArray());
    }

    /// <summary>The pinset that follows from the set's entries alone.</summary>
    public string ExportOfTheSet()
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        var pins = MerkleCrdt.All(Set)
            .Select(entry => PinKey.TryRead(entry.Key, entry.Value, out _, out var pin, out _) ? pin : null)
            .OfType<Pin>().OrderBy(pin => pin.Cid);
        foreach (var pin in pins)
        {
            ModelJson.Write(buffer, pin);
            System.Buffers.BuffersExtensions.Write(buffer, "\n"u8);
        }

        return System.Text.Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Waits until something holds; looks again whenever the pinset changes.</summary>
    public async Task UntilAsync(Func<bool> holds)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!holds())
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.WhenAny(State.WaitForChangeAsync(State.Totals.Sequence, patience.Token), Task.Delay(20, patience.Token));
        }

        await PublishedAsync();
    }

    /// <summary>Waits until the state tells of all that its database holds: a write is there a moment before it is told of.</summary>
    public async Task PublishedAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        ulong written;
        using (var snapshot = State.CreateSnapshot())
            written = snapshot.Totals.Sequence;
        while (State.Totals.Sequence is var told && told < written)
            await State.WaitForChangeAsync(told, patience.Token);
    }

    /// <summary>Waits until all have the same heads and nothing is missing, then compares their pinsets byte for byte.</summary>
    public static async Task ConvergeAsync(params CrdtPeer[] peers)
    {
        // All at one moment: while one is looked at, another may still move.
        await peers[0].UntilAsync(() => peers.All(peer => peer.Missing == 0 && peer.Heads.SequenceEqual(peers[0].Heads)));
        foreach (var peer in peers)
        {
            await peer.PublishedAsync();
            Assert.Equal(peers[0].Export(), peer.Export());
            Assert.Equal(peer.ExportOfTheSet(), peer.Export());
        }
    }

    /// <summary>Stops and starts on the same folder.</summary>
    public async Task RestartAsync()
    {
        var path = Database.Path;
        await StopAsync();
        Open(path, join: true);
    }

    /// <summary>
    /// Goes on with a copy of the folder as it was at this moment, past <paramref name="logBytes"/> of the newest log torn off. Alone, for
    /// what the others tell would change it at once: see <see cref="Join"/>.
    /// </summary>
    public async Task CrashAsync(Func<long, long>? logBytes = null)
    {
        var copy = Path.Combine(_root, $"{++_lives}");
        Copy(copy, logBytes);
        await StopAsync();
        Open(copy, join: false);
    }

    /// <summary>Comes back to the others.</summary>
    public void Join() => _network.Join(Id, Consensus);

    /// <summary>Bytes of the newest log.</summary>
    public long LogBytes() => new FileInfo(NewestLog(Database.Path)).Length;

    public async Task StopAsync()
    {
        _network.Leave(Id);
        await Consensus.DisposeAsync();
        Database.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(_root, recursive: true);
    }

    private static string NewestLog(string folder) => Directory.EnumerateFiles(folder, "*.log").Order(StringComparer.Ordinal).Last();

    private void Copy(string to, Func<long, long>? logBytes)
    {
        DatabaseCopy.Take(Database.Path, to);
        if (logBytes is null)
            return;
        using var log = File.OpenWrite(NewestLog(to));
        log.SetLength(Math.Min(log.Length, logBytes(log.Length)));
    }

    private void Open(string path, bool join)
    {
        Database = Database.Open(path, new DatabaseOptions { Format = PinStore.Format });
        State = PinStore.Open(Database);
        Metrics = new MetricSnapshot(TimeProvider.System);
        Consensus = new CrdtConsensus(Id, State, _settings, Metrics, TimeProvider.System, new Random(1), _logger);
        Consensus.Start(_network.Of(Id));
        if (join)
            Join();
    }
}
