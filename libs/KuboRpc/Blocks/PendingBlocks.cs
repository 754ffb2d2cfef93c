using Ipld;
using KuboRpc.Json;

namespace KuboRpc.Blocks;

/// <summary>The blocks of one request, kept until the daemon has acknowledged them.</summary>
internal sealed class PendingBlocks
{
    private readonly List<DaemonBlock> _blocks = [];
    private readonly HashSet<Multihash> _open = [];

    public int Count => _blocks.Count;

    public long Bytes { get; private set; }

    /// <summary>Blocks sent and not acknowledged, in order.</summary>
    public IReadOnlyList<DaemonBlock> Missing => [.. _blocks.Where(block => _open.Contains(block.Cid.Multihash))];

    public void Sent(DaemonBlock block)
    {
        lock (_blocks)
        {
            _blocks.Add(block);
            Bytes += block.Data.Length;
            _open.Add(block.Cid.Multihash);
        }
    }

    /// <summary>
    /// Notes an answer line, <c>{"Key","Size"}</c>, and tells which block it acknowledges; null for one acknowledged before. Only the
    /// hash is compared: CIDs differ in version, base and codec.
    /// </summary>
    public DaemonBlock? Acknowledge(ReadOnlyMemory<byte> line)
    {
        using var document = JsonFields.Parse(line);
        var key = DaemonCid.Parse(JsonFields.Text(document.RootElement, "Key"));
        lock (_blocks)
        {
            var acknowledged = _blocks.FindIndex(block => block.Cid.Multihash == key.Multihash);
            if (acknowledged < 0)
                throw new DaemonAnswerException($"the daemon stored a block as {key}, which was not sent: is its hash function another one?");
            // A block sent twice is answered twice or once; either way it is there.
            return _open.Remove(key.Multihash) ? _blocks[acknowledged] : null;
        }
    }
}
