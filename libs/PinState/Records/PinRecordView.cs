using Cluster.Model;
using Libp2p;

namespace Cluster.PinState.Records;

/// <summary>The fields of a record by which pins are found, without decoding the rest or allocating.</summary>
public readonly ref struct PinRecordView
{
    private readonly ReadOnlySpan<byte> _record;

    /// <summary>Looks into a record.</summary>
    public PinRecordView(ReadOnlySpan<byte> record)
    {
        _record = record;
        Type = PinType.Bad;
        ReadOnlySpan<byte> options = default;
        var reader = new WireReader(record);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: Cid = reader.Bytes; break;
                case 2: Type = PinTypes.FromStoredIndex(reader.Varint); break;
                case 3: HasAllocations = true; break;
                case 4: MaxDepth = reader.Signed; break;
                case 6: Created = PinRecord.ReadTime(reader.Bytes).UnixSeconds; break;
                case 7: options = reader.Bytes; break;
            }
        }

        reader = new WireReader(options);
        int minimum = 0, maximum = 0;
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: minimum = reader.Signed; break;
                case 2: maximum = reader.Signed; break;
                case 3: Name = reader.Bytes; break;
                case 7:
                    HasExpiry = true;
                    ExpireAt = PinRecord.ReadTime(reader.Bytes).UnixSeconds;
                    break;
            }
        }

        Replication = new ReplicationFactors(minimum, maximum);
    }

    /// <summary>The CID in binary.</summary>
    public ReadOnlySpan<byte> Cid { get; }

    /// <summary>What the pin stands for.</summary>
    public PinType Type { get; }

    /// <summary>-1 recursive, 0 direct, else levels.</summary>
    public int MaxDepth { get; }

    /// <summary>Both factors.</summary>
    public ReplicationFactors Replication { get; }

    /// <summary>The name in UTF-8.</summary>
    public ReadOnlySpan<byte> Name { get; }

    /// <summary>Unix seconds of the timestamp; 0 when it is unset.</summary>
    public long Created { get; }

    /// <summary>Whether an expiry is set.</summary>
    public bool HasExpiry { get; }

    /// <summary>Unix seconds of the expiry.</summary>
    public long ExpireAt { get; }

    /// <summary>Whether any peer is named.</summary>
    public bool HasAllocations { get; }

    /// <summary>The named peers in binary, one after another.</summary>
    public AllocationEnumerator Allocations => new(_record);

    /// <summary>Whether a peer must hold the pin: it is named, or every peer must. Meta pins are held by nobody.</summary>
    public bool IsHeldBy(in PeerId peer) =>
        Type != PinType.Meta && (Replication.IsEverywhere || (HasAllocations && IsAllocatedTo(peer)));

    /// <summary>Whether a peer is named.</summary>
    public bool IsAllocatedTo(in PeerId peer)
    {
        foreach (var allocation in Allocations)
        {
            if (allocation.SequenceEqual(peer.Bytes))
                return true;
        }

        return false;
    }

    /// <summary>Walks the named peers.</summary>
    public ref struct AllocationEnumerator
    {
        private WireReader _reader;

        internal AllocationEnumerator(ReadOnlySpan<byte> record) => _reader = new WireReader(record);

        /// <summary>The present peer id in binary.</summary>
        public readonly ReadOnlySpan<byte> Current => _reader.Bytes;

        /// <summary>For <c>foreach</c>.</summary>
        public readonly AllocationEnumerator GetEnumerator() => this;

        /// <summary>Goes on to the next peer.</summary>
        public bool MoveNext()
        {
            while (_reader.Next())
            {
                if (_reader.Field == 3)
                    return true;
                if (_reader.Field > 3)
                    return false;
            }

            return false;
        }
    }
}
