using System.Buffers.Binary;

namespace Crdt;

/// <summary>
/// The replicated set: heads, merged nodes, and walks towards the nodes that are still missing. It does no I/O: inputs come with a
/// transaction, and what is to be done leaves in a <see cref="CrdtOutput"/>. One caller at a time; after a transaction that could not be
/// committed the core must be thrown away and opened anew, as its memory is ahead of the store.
/// </summary>
/// <remarks>
/// Where the original loses its way - a walk that breaks off is forgotten until something links to it - this one remembers: the blocks
/// a walk waits for are stored in the transaction that found them, so a restart or a returning peer goes on exactly there.
/// </remarks>
public sealed class MerkleCrdt
{
    private readonly SortedDictionary<BlockId, ulong> heads = [];
    private readonly Dictionary<BlockId, RootRecord> roots = [];
    private readonly Dictionary<BlockId, BlockId> missing = []; // block -> root of the walk that waits for it
    private readonly HashSet<BlockId> announced = []; // roots that are not fetched yet
    private readonly HashSet<BlockId> adoptable = []; // of those: announced while we had no heads at all
    private readonly HashSet<BlockId> seenInBroadcasts = [];

    private MerkleCrdt()
    {
    }

    /// <summary>Current heads with their heights, ascending by CID.</summary>
    public IReadOnlyDictionary<BlockId, ulong> Heads => heads;

    /// <summary>
    /// What others should know of: the heads, and merged roots that are no heads yet because ancestors are missing. If these were kept
    /// back until their walks end, and nobody can give the ancestors any more, others would never learn of them.
    /// </summary>
    public IReadOnlyCollection<BlockId> Announceable
    {
        get
        {
            if (roots.Count == 0) return heads.Keys;
            return [.. heads.Keys, .. roots.Where(root => !root.Value.Covered && !heads.ContainsKey(root.Key)).Select(root => root.Key).Order()];
        }
    }

    /// <summary>Height of the highest head; 0 without any.</summary>
    public ulong MaxHeight => heads.Count == 0 ? 0 : heads.Values.Max();

    /// <summary>Blocks that are known to be missing.</summary>
    public IReadOnlyCollection<BlockId> Missing => missing.Keys;

    /// <summary>Whether a block could not be had, so that a repair is due.</summary>
    public bool IsDirty { get; private set; }

    /// <summary>Reads the state of a store; an empty one is a new replica.</summary>
    public static MerkleCrdt Open(ICrdtTransaction store)
    {
        var core = new MerkleCrdt();
        foreach (var (key, value) in store.Scan(CrdtKeys.Heads.ToArray()))
            core.heads.Add(CrdtKeys.Id(key), BinaryPrimitives.ReadUInt64LittleEndian(value));
        foreach (var (key, value) in store.Scan(CrdtKeys.Roots.ToArray()))
            core.roots.Add(CrdtKeys.Id(key), RootRecord.Parse(value));
        foreach (var (key, value) in store.Scan(CrdtKeys.Missing.ToArray()))
        {
            var (block, root) = (CrdtKeys.Id(key), BlockId.FromDigest(value));
            core.missing.Add(block, root);
            if (core.roots.TryGetValue(root, out var record)) record.Missing.Add(block);
        }
        core.IsDirty = store.TryGet(CrdtKeys.Dirty, out _);
        return core;
    }

    /// <summary>The raw bytes of a stored block, to serve to other replicas.</summary>
    public static bool TryGetBlock(ICrdtTransaction store, BlockId id, out byte[]? bytes) => store.TryGet(CrdtKeys.Block(id), out bytes);

    /// <summary>The key under which a block lies, for owners of a store who want to look at it without a copy.</summary>
    public static byte[] KeyOfBlock(BlockId id) => CrdtKeys.Block(id);

    /// <summary>Whether a block is merged.</summary>
    public static bool IsMerged(ICrdtTransaction store, BlockId id) => store.TryGet(CrdtKeys.Processed(id), out _);

    /// <summary>The value of a key, or null.</summary>
    public static byte[]? Get(ICrdtTransaction store, string key) => KeyValueSet.Find(store, key)?.Value;

    /// <summary>The priority of a key's value; 0 without one.</summary>
    public static ulong GetPriority(ICrdtTransaction store, string key) => KeyValueSet.Find(store, key)?.Priority ?? 0;

    /// <summary>All keys with a value, ascending by their bytes.</summary>
    public static IEnumerable<KeyValuePair<string, byte[]>> All(ICrdtTransaction store)
    {
        foreach (var (key, bytes) in store.Scan(CrdtKeys.KeyRecords.ToArray()))
            if (KeyRecord.Parse(bytes).Value is { } value)
                yield return new(System.Text.Encoding.UTF8.GetString(key.AsSpan(1)), value);
    }

    /// <summary>Makes the collected changes one node, merges it, and announces it as the only head (crdt §9), or the head it belongs to.</summary>
    /// <returns>The node.</returns>
    public BlockId Commit(ICrdtTransaction transaction, DeltaBuilder builder, CrdtOutput output)
    {
        var node = new DagNode { Links = [.. heads.Keys], Delta = builder.Build(MaxHeight + 1) };
        var bytes = node.Encode();
        var id = BlockId.Of(bytes);
        transaction.Put(CrdtKeys.Block(id), bytes);

        // Another replica may have made the very same node of the same heads (both removed the same key), and a walk of ours may wait
        // for it: then it is a part of that walk, and the walk's root is the head.
        var root = missing.GetValueOrDefault(id, id);
        Merge(transaction, id, node, root, root == id ? node.Delta.Priority : roots[root].Height, output);
        output.Broadcast.Add(root);
        return id;
    }

    /// <summary>Another replica announced heads. Unknown ones are fetched; of known ones that lack ancestors, those are asked for again.</summary>
    public void HeadsReceived(ICrdtTransaction store, IReadOnlyList<BlockId> received, CrdtOutput output)
    {
        var fresh = heads.Count == 0;
        foreach (var head in received)
        {
            seenInBroadcasts.Add(head);
            if (store.TryGet(CrdtKeys.Processed(head), out _))
            {
                if (roots.TryGetValue(head, out var root)) output.Fetches.AddRange(root.Missing);
                continue;
            }
            if (missing.ContainsKey(head) || announced.Contains(head))
            {
                output.Fetches.Add(head);
                continue;
            }
            announced.Add(head);
            if (fresh) adoptable.Add(head);
            output.Fetches.Add(head);
        }
    }

    /// <summary>A block that was asked for is here. Blocks nobody waits for, and those that came already, are passed over.</summary>
    /// <exception cref="CrdtFormatException">The bytes are not a node, or not the one asked for.</exception>
    public void BlockArrived(ICrdtTransaction transaction, BlockId id, ReadOnlyMemory<byte> bytes, CrdtOutput output)
    {
        var isMissing = missing.TryGetValue(id, out var root);
        if (!isMissing && !announced.Contains(id)) return;
        if (BlockId.Of(bytes.Span) != id) throw new CrdtFormatException($"the bytes are not those of block {id}");
        var node = DagNode.Parse(bytes);
        if (announced.Remove(id) && !isMissing)
        {
            root = id;
            if (adoptable.Remove(id) && !transaction.TryGet(CrdtKeys.Processed(id), out _)) SetHead(transaction, id, node.Delta.Priority);
        }
        adoptable.Remove(id);
        if (transaction.TryGet(CrdtKeys.Processed(id), out _)) return;
        transaction.Put(CrdtKeys.Block(id), bytes.Span);
        var height = root == id ? node.Delta.Priority : roots[root].Height;
        Merge(transaction, id, node, root, height, output);
    }

    /// <summary>A block could not be had from anyone. It stays wanted; the store is marked dirty when a walk had already begun.</summary>
    public void BlockUnavailable(ICrdtTransaction transaction, BlockId id)
    {
        announced.Remove(id);
        adoptable.Remove(id);
        if (!missing.ContainsKey(id)) return;
        MarkDirty(transaction);
    }

    /// <summary>Asks again for every block that is known to be missing.</summary>
    public void RetryMissing(CrdtOutput output)
    {
        output.Fetches.AddRange(missing.Keys);
        output.Fetches.AddRange(announced);
    }

    /// <summary>Marks the store for a repair.</summary>
    public void MarkDirty(ICrdtTransaction transaction)
    {
        IsDirty = true;
        transaction.Put(CrdtKeys.Dirty, []);
    }

    /// <summary>Takes the mark away.</summary>
    public void MarkClean(ICrdtTransaction transaction)
    {
        IsDirty = false;
        transaction.Delete(CrdtKeys.Dirty);
    }

    /// <summary>
    /// What is <see cref="Announceable"/> and was named by no broadcast since the last call; every rebroadcast interval (crdt §9).
    /// </summary>
    public void Rebroadcast(CrdtOutput output)
    {
        foreach (var head in Announceable)
            if (!seenInBroadcasts.Contains(head)) output.Broadcast.Add(head);
        seenInBroadcasts.Clear();
    }

    private void Merge(ICrdtTransaction transaction, BlockId id, DagNode node, BlockId root, ulong height, CrdtOutput output)
    {
        KeyValueSet.Merge(transaction, id, node.Delta, output.Changes);
        transaction.Put(CrdtKeys.Processed(id), []);
        output.Merged.Add(id);
        if (missing.Remove(id)) transaction.Delete(CrdtKeys.MissingBlock(id));
        if (roots.TryGetValue(root, out var record)) record.Missing.Remove(id);

        Span<byte> rootDigest = stackalloc byte[BlockId.DigestLength];
        root.WriteDigest(rootDigest);
        var attached = node.Links.Count == 0;
        foreach (var link in node.Links)
        {
            var merged = transaction.TryGet(CrdtKeys.Processed(link), out _);
            if (roots.TryGetValue(link, out var other) && !other.Covered)
            {
                other.Covered = true;
                transaction.Put(CrdtKeys.Root(link), other.Encode());
            }
            if (heads.Remove(link))
            {
                transaction.Delete(CrdtKeys.Head(link));
                attached = true;
            }
            if (merged || missing.ContainsKey(link))
            {
                attached = true;
                continue;
            }
            if (record is null)
            {
                record = new RootRecord { Height = height };
                roots.Add(root, record);
                transaction.Put(CrdtKeys.Root(root), record.Encode());
            }
            record.Missing.Add(link);
            missing.Add(link, root);
            transaction.Put(CrdtKeys.MissingBlock(link), rootDigest);
            output.Fetches.Add(link);
        }
        if (attached && record is not { Covered: true }) SetHead(transaction, root, height);
        if (record is { Missing.Count: 0 })
        {
            roots.Remove(root);
            transaction.Delete(CrdtKeys.Root(root));
        }
        if (IsDirty && missing.Count == 0) MarkClean(transaction);
    }

    private void SetHead(ICrdtTransaction transaction, BlockId id, ulong height)
    {
        heads[id] = height;
        Span<byte> value = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(value, height);
        transaction.Put(CrdtKeys.Head(id), value);
    }
}
