namespace Crdt;

/// <summary>
/// Makes nodes of any number of changes: one where they fit into <see cref="Delta.MaxSize"/>, else several, one upon the other. The
/// changes are seen by readers of the transaction after <see cref="Flush"/>. One transaction, one caller.
/// </summary>
public sealed class NodeWriter(MerkleCrdt core, ICrdtTransaction transaction, CrdtOutput output, int maxSize = Delta.MaxSize)
{
    private readonly List<BlockId> written = [];
    private DeltaBuilder builder = new();

    /// <summary>Nodes made so far, in order.</summary>
    public IReadOnlyList<BlockId> Written => written;

    /// <summary>Gives a key a value. A value that does not fit beside others gets a node of its own.</summary>
    public void Put(string key, ReadOnlyMemory<byte> value)
    {
        MakeRoom(Delta.SizeOf(new DeltaElement(key, value)));
        builder.Put(key, value);
    }

    /// <summary>Removes what is known of a key, the additions made here included.</summary>
    public void Remove(string key)
    {
        builder.DropElements(key);
        foreach (var id in DeltaBuilder.CommittedAdditions(transaction, key))
        {
            var tombstone = new DeltaTombstone(key, id);
            MakeRoom(Delta.SizeOf(tombstone));
            builder.Remove(tombstone);
        }
    }

    /// <summary>Commits what is collected, if anything is.</summary>
    public void Flush()
    {
        if (builder.IsEmpty) return;
        written.Add(core.Commit(transaction, builder, output));
        builder = new DeltaBuilder();
    }

    private void MakeRoom(int bytes)
    {
        if (builder.Size + bytes > maxSize) Flush();
    }
}
