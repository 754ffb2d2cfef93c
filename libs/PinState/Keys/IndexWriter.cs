using Cluster.Model;
using Cluster.PinState.Records;
using Cluster.Storage;

namespace Cluster.PinState.Keys;

/// <summary>Keeps the entries of the secondary indexes in the batch of the row.</summary>
internal sealed class IndexWriter(WriteBatch batch)
{
    private readonly KeyBuilder _key = new();

    internal void Add(byte generation, PinRecordView pin)
    {
        foreach (var kind in (ReadOnlySpan<byte>)[StateKeys.ByName, StateKeys.ByExpiry, StateKeys.ByType, StateKeys.ByCreation])
        {
            if (Begin(generation, kind, pin))
                batch.Put(_key.Add(pin.Cid).Span, default);
        }

        if (!pin.HasAllocations)
            return;
        foreach (var peer in pin.Allocations)
            batch.Put(_key.Begin(generation, StateKeys.ByAllocation).AddPeer(peer).Add(pin.Cid).Span, default);
    }

    internal void Remove(byte generation, PinRecordView pin)
    {
        foreach (var kind in (ReadOnlySpan<byte>)[StateKeys.ByName, StateKeys.ByExpiry, StateKeys.ByType, StateKeys.ByCreation])
        {
            if (Begin(generation, kind, pin))
                batch.Delete(_key.Add(pin.Cid).Span);
        }

        if (!pin.HasAllocations)
            return;
        foreach (var peer in pin.Allocations)
            batch.Delete(_key.Begin(generation, StateKeys.ByAllocation).AddPeer(peer).Add(pin.Cid).Span);
    }

    private bool Begin(byte generation, byte kind, PinRecordView pin)
    {
        switch (kind)
        {
            case StateKeys.ByName when !pin.Name.IsEmpty:
                _key.Begin(generation, kind).AddName(pin.Name);
                return true;
            case StateKeys.ByExpiry when pin.HasExpiry:
                _key.Begin(generation, kind).AddTime(pin.ExpireAt);
                return true;
            case StateKeys.ByType when pin.Type != PinType.Data:
                _key.Begin(generation, kind).Add((byte)pin.Type.ToStoredIndex());
                return true;
            case StateKeys.ByCreation:
                _key.Begin(generation, kind).AddTime(pin.Created);
                return true;
            default:
                return false;
        }
    }
}
