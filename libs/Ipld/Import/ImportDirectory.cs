namespace Ipld;

/// <summary>
/// A directory that an import is filling. Subdirectories made during the current top-level entry stay open; files and
/// the directories of earlier entries are known by name and CID only, and cannot be looked into again.
/// </summary>
internal sealed class ImportDirectory
{
    // What the original answers when a path leads through something that is no open directory.
    private const string CannotLookInto = "dagservice: a Get operation was attempted while cluster-adding (this is likely a bug)";

    private readonly CidPrefix _prefix;
    private readonly IBlockSink _blocks;
    private readonly DirectoryNode _node;
    private readonly Dictionary<string, ImportDirectory> _open = new(StringComparer.Ordinal);
    private readonly List<string> _openOrder = [];
    private IpldBlock? _root;

    private ImportDirectory(CidPrefix prefix, IBlockSink blocks)
    {
        _prefix = prefix;
        _blocks = blocks;
        _node = new DirectoryNode(prefix);
    }

    /// <summary>Makes an empty directory; its block goes out, as in the original, even when entries follow.</summary>
    public static async ValueTask<ImportDirectory> CreateAsync(CidPrefix prefix, IBlockSink blocks, CancellationToken cancellationToken)
    {
        var directory = new ImportDirectory(prefix, blocks);
        await directory.WriteIfValidAsync(cancellationToken).ConfigureAwait(false);
        return directory;
    }

    /// <summary>Makes the directories of a path as far as they are missing; a file of the last name is replaced.</summary>
    /// <exception cref="ImportException">The path leads through an entry that is not an open directory.</exception>
    public async ValueTask<ImportDirectory> MakePathAsync(string path, CancellationToken cancellationToken)
    {
        var names = path.Split('/');
        var current = this;
        for (var i = 0; i < names.Length; i++)
        {
            var name = names[i];
            if (!current._open.TryGetValue(name, out var next))
            {
                if (i < names.Length - 1 && current._node.Contains(name))
                {
                    throw new ImportException(CannotLookInto);
                }

                next = await CreateAsync(_prefix, _blocks, cancellationToken).ConfigureAwait(false);
                var root = await next.FlushAsync(cancellationToken).ConfigureAwait(false);
                current.Set(name, root.Cid, root.CumulativeSize);
                current._open.Add(name, next);
                current._openOrder.Add(name);
            }

            current = next;
        }

        return current;
    }

    /// <summary>Adds a finished file or symlink; one of the same name is replaced.</summary>
    /// <exception cref="ImportException">A directory of that name exists.</exception>
    public void Put(string name, Cid cid, ulong cumulativeSize)
    {
        if (_open.ContainsKey(name))
        {
            throw new ImportException("directory already has entry by that name");
        }

        Set(name, cid, cumulativeSize);
    }

    /// <summary>Writes the blocks of this directory and of those open below it, and returns its root.</summary>
    public async ValueTask<IpldBlock> FlushAsync(CancellationToken cancellationToken)
    {
        await FlushChildrenAsync(cancellationToken).ConfigureAwait(false);
        return _root ??= await WriteAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>As <see cref="FlushAsync"/>, but a directory that cannot be named (version 0, other hash) is left out.</summary>
    public async ValueTask FlushIfValidAsync(CancellationToken cancellationToken)
    {
        await FlushChildrenAsync(cancellationToken).ConfigureAwait(false);
        if (_root is null)
        {
            await WriteIfValidAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Puts out the open directories, children first in link order, and closes them.</summary>
    public async ValueTask OutputAsync(string name, Func<string, IpldBlock, ValueTask> output, CancellationToken cancellationToken)
    {
        if (_open.Count > 0)
        {
            foreach (var child in _node.Names())
            {
                if (_open.TryGetValue(child, out var directory))
                {
                    await directory.OutputAsync(ImportPath.Join(name, child), output, cancellationToken).ConfigureAwait(false);
                }
            }
        }

        await output(name, await FlushAsync(cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
        Close();
    }

    /// <summary>Forgets the open directories below.</summary>
    public void Close()
    {
        _open.Clear();
        _openOrder.Clear();
    }

    private void Set(string name, Cid cid, ulong cumulativeSize)
    {
        _node.Set(name, cid, cumulativeSize);
        _root = null;
    }

    private async ValueTask FlushChildrenAsync(CancellationToken cancellationToken)
    {
        foreach (var name in _openOrder)
        {
            var child = _open[name];
            var wasChanged = child.IsChanged;
            var root = await child.FlushAsync(cancellationToken).ConfigureAwait(false);
            if (wasChanged)
            {
                Set(name, root.Cid, root.CumulativeSize);
            }
        }
    }

    private bool IsChanged => _root is null || _open.Values.Any(child => child.IsChanged);

    private async ValueTask WriteIfValidAsync(CancellationToken cancellationToken)
    {
        try
        {
            _root = await WriteAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (CidFormatException)
        {
            // The original goes on until somebody needs the CID; a lone raw file never does.
        }
    }

    private async ValueTask<IpldBlock> WriteAsync(CancellationToken cancellationToken)
    {
        var encoded = _node.Encode();
        foreach (var block in encoded)
        {
            await _blocks.WriteAsync(block, cancellationToken).ConfigureAwait(false);
        }

        return encoded[^1];
    }
}
