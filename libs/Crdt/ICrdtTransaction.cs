using System.Diagnostics.CodeAnalysis;

namespace Crdt;

/// <summary>
/// The ordered key-value store beneath, as one transaction sees it: reads include the transaction's own writes. The owner commits it; what
/// belongs together (the pinset's indexes, sequence numbers) can ride in the same one. The core's keys start with an ASCII letter; the
/// owner puts its own prefix before them.
/// </summary>
public interface ICrdtTransaction
{
    /// <summary>Reads the value of a key.</summary>
    bool TryGet(ReadOnlySpan<byte> key, [NotNullWhen(true)] out byte[]? value);

    /// <summary>Sets a key.</summary>
    void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value);

    /// <summary>Removes a key; harmless when it is absent.</summary>
    void Delete(ReadOnlySpan<byte> key);

    /// <summary>All entries whose keys start so, ascending by the bytes of the key.</summary>
    IEnumerable<KeyValuePair<byte[], byte[]>> Scan(ReadOnlyMemory<byte> prefix);
}
