namespace Crdt;

/// <summary>Bytes from the network or the store that are not what the protocol says (crdt §4-§6).</summary>
public sealed class CrdtFormatException(string message) : FormatException(message);
