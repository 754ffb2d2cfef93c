using Cluster.Model;
using Cluster.PinState;
using Cluster.Storage;
using Crdt;

namespace Cluster.CrdtState;

/// <summary>
/// Another pinset with a DAG of its own in place of the present ones: they are written beside them and take their place in one synced
/// write, so that a crash leaves either the old ones or the new ones, whole. Not for several threads at once.
/// </summary>
public sealed class CrdtReplacement : IDisposable
{
    private readonly PinReplacement _pins;
    private readonly Database _database;
    private readonly WriteBatch _batch = new();
    private readonly CrdtTransaction _transaction;
    private readonly MerkleCrdt _core;
    private readonly PinProjection _projection = new();
    private readonly UnreadableEntry _unreadable;
    private CrdtOutput _output = new();
    private NodeWriter _writer;
    private long _waiting;

    /// <summary>Begins with an empty pinset and an empty DAG; nothing changes until <see cref="Finish"/>.</summary>
    /// <param name="store">The state.</param>
    /// <param name="unreadable">Told of pins that cannot be stored in the set; by default that is an error.</param>
    /// <exception cref="InvalidOperationException">Another replacement is under way.</exception>
    public CrdtReplacement(PinStore store, UnreadableEntry? unreadable = null)
    {
        _unreadable = unreadable ?? (static (key, error) => throw new FormatException($"{key}: {error}"));
        _database = store.Database;
        _pins = store.BeginReplacement();
        try
        {
            _transaction = new CrdtTransaction(_database, _batch, _pins.CompanionKeys);
            _core = MerkleCrdt.Open(_transaction);
            _writer = new NodeWriter(_core, _transaction, _output);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Pins so far; those still collected are not counted.</summary>
    public ulong Count => _pins.Count;

    /// <summary>Adds a pin; of several with one CID the last stays.</summary>
    public void Add(Pin pin)
    {
        var value = PinProtobuf.ToBytes(pin);
        _writer.Put(PinKey.Of(pin.Cid), value);
        _waiting += value.Length;
        if (_waiting > Delta.MaxSize)
            Write();
    }

    /// <summary>Makes the new state the present one, durably. Gives the number of its pins.</summary>
    public ulong Finish()
    {
        Write();
        _pins.Finish();
        return _pins.Count;
    }

    /// <summary>Gives up what was not finished.</summary>
    public void Dispose()
    {
        try
        {
            _pins.Dispose();
        }
        finally
        {
            _batch.Dispose();
        }
    }

    private void Write()
    {
        _writer.Flush();
        _projection.Add(_output.Changes);
        _projection.ApplyTo(_pins, _unreadable);
        _database.Write(_batch, Durability.Buffered); // durable with the synced write of Finish, which comes after it in the log
        _batch.Clear();
        _transaction.Written();
        _output = new CrdtOutput();
        _writer = new NodeWriter(_core, _transaction, _output);
        _waiting = 0;
    }
}
