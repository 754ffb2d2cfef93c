using Cluster.Model;
using Cluster.PinState;
using Cluster.PinState.Transfer;
using Cluster.Storage;
using Crdt;
using Ipld;

namespace Cluster.CrdtState.Tests;

/// <summary>A state on a real database in a folder of its own.</summary>
internal sealed class StateFolder : IDisposable
{
    public StateFolder() => Open(System.IO.Path.Combine(Root, "state"));

    public string Root { get; } = Directory.CreateTempSubdirectory("crdt-state-test-").FullName;

    public Database Database { get; private set; } = null!;

    public PinStore Store { get; private set; } = null!;

    public IReadOnlyDictionary<BlockId, ulong> Heads => MerkleCrdt.Open(new CrdtReader(Store)).Heads;

    public static Pin Pin(int number, string name = "") => new()
    {
        Cid = Cid.FromBytes([1, 0x55, 0, 4, .. BitConverter.GetBytes(number)]),
        Type = PinType.Data,
        MaxDepth = -1,
        Options = new PinOptions { Name = name, Replication = ReplicationFactors.Everywhere },
    };

    public static Stream Lines(params Pin[] pins)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        foreach (var pin in pins)
            ModelJson.Write(buffer, pin);
        return new MemoryStream(buffer.WrittenSpan.ToArray());
    }

    /// <summary>The pinset as an export.</summary>
    public async Task<string> ExportAsync()
    {
        using var output = new MemoryStream();
        await StateExport.RunAsync(Store, output, CancellationToken.None);
        return System.Text.Encoding.UTF8.GetString(output.ToArray());
    }

    /// <summary>What the DAG says, pin by pin in order of the keys, as an export.</summary>
    public string ExportOfTheSet()
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        foreach (var pin in MerkleCrdt.All(new CrdtReader(Store)).Select(Read).OrderBy(pin => pin.Cid))
        {
            ModelJson.Write(buffer, pin);
            System.Buffers.BuffersExtensions.Write(buffer, "\n"u8);
        }

        return System.Text.Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Goes on with a copy of the folder as it lies on the disk, as after a crash.</summary>
    public void Crash()
    {
        var copy = System.IO.Path.Combine(Root, Guid.NewGuid().ToString("N"));
        DatabaseCopy.Take(Database.Path, copy);
        Database.Dispose();
        Open(copy);
    }

    public void Dispose()
    {
        Database.Dispose();
        Directory.Delete(Root, recursive: true);
    }

    private static Pin Read(KeyValuePair<string, byte[]> entry) =>
        PinKey.TryRead(entry.Key, entry.Value, out _, out var pin, out var error) ? pin! : throw new FormatException(error);

    private void Open(string path)
    {
        Database = Database.Open(path, new DatabaseOptions { Format = PinStore.Format });
        Store = PinStore.Open(Database);
    }
}
