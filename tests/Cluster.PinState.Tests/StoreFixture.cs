using Cluster.Model;
using Cluster.Storage;
using Ipld;
using Libp2p;

namespace Cluster.PinState.Tests;

/// <summary>A pinset in a folder of its own.</summary>
internal sealed class StoreFixture : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("pinstate-test-").FullName;

    public StoreFixture(PinStoreOptions? options = null)
    {
        Options = options ?? new PinStoreOptions();
        (Database, Store) = Open();
    }

    public PinStoreOptions Options { get; }

    public Database Database { get; private set; }

    public PinStore Store { get; private set; }

    public static PeerId Peer(int number)
    {
        var bytes = new byte[38];
        bytes[0] = 0;
        bytes[1] = 36;
        bytes[2] = 8;
        bytes[3] = 1;
        bytes[4] = 0x12;
        bytes[5] = 32;
        BitConverter.TryWriteBytes(bytes.AsSpan(6), number);
        return PeerId.FromBytes(bytes);
    }

    /// <summary>A CID with inline data.</summary>
    public static Cid Cid(int number) => Ipld.Cid.FromBytes([1, 0x55, 0, 4, .. BitConverter.GetBytes(number)]);

    public static Pin Pin(int number, string name = "", params PeerId[] allocations) => new()
    {
        Cid = Cid(number),
        Type = PinType.Data,
        MaxDepth = -1,
        Allocations = allocations,
        Timestamp = GoTime.FromUnix(1_700_000_000 + number),
        Options = new PinOptions
        {
            Name = name,
            Replication = allocations.Length == 0 ? ReplicationFactors.Everywhere : new ReplicationFactors(1, allocations.Length),
            Origins = [],
        },
    };

    public void Reopen()
    {
        Database.Dispose();
        (Database, Store) = Open();
    }

    public ulong Put(params Pin[] pins)
    {
        using var transaction = Store.Begin();
        foreach (var pin in pins)
            transaction.Put(pin);
        return transaction.Commit(Durability.Buffered);
    }

    public bool Remove(int number)
    {
        using var transaction = Store.Begin();
        var removed = transaction.Remove(Cid(number));
        transaction.Commit(Durability.Buffered);
        return removed;
    }

    public List<Pin> List(PinFilter? filter = null)
    {
        using var snapshot = Store.CreateSnapshot();
        using var cursor = snapshot.List(filter);
        var pins = new List<Pin>();
        while (cursor.MoveNext())
            pins.Add(cursor.Current);
        return pins;
    }

    public void Dispose()
    {
        Database.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private (Database Database, PinStore Store) Open()
    {
        var database = Database.Open(Path.Combine(_folder, "state"), new DatabaseOptions { Format = PinStore.Format });
        return (database, PinStore.Open(database, Options));
    }
}
