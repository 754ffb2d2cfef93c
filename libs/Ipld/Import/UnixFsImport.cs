namespace Ipld;

/// <summary>
/// Adds files, symlinks and directories as UnixFS. All top-level entries share one root directory, as in the original;
/// without a wrapper each of them yields the root it would have alone, except that a second directory holds the entries
/// of the first as well (golden/kubo/README.md, "several directories without wrapping").
/// </summary>
internal sealed class UnixFsImport
{
    private readonly ImportOptions _options;
    private readonly CidPrefix _prefix;
    private readonly IBlockSink _blocks;
    private readonly IImportOutput _output;
    private readonly PartCursor _cursor;
    private ImportDirectory? _root;
    private string _outputPrefix = "";
    private Cid _lastFile;

    public UnixFsImport(ImportOptions options, IBlockSink blocks, IImportOutput output, PartCursor cursor)
    {
        if (options.CidVersion is not (0 or 1))
        {
            throw new ImportException(FormattableString.Invariant($"bad CID Version: unknown CID version: {options.CidVersion}"));
        }

        var hash = options.HashFunction.Length == 0 ? "sha2-256" : options.HashFunction.ToLowerInvariant();
        if (!MultihashCode.TryGetCode(hash, out var code))
        {
            throw new ImportException("hash function name not known");
        }

        _options = options;
        _prefix = new CidPrefix(options.CidVersion, code);
        _blocks = blocks;
        _output = output;
        _cursor = cursor;
    }

    /// <summary>Adds one top-level entry and returns its root.</summary>
    public async ValueTask<Cid> AddAsync(string name, UploadNode node, CancellationToken cancellationToken)
    {
        _outputPrefix = name;
        if (node.Directory is { } directory)
        {
            await AddEntriesAsync("", directory, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            await AddFileOrLinkAsync("", node.Part!, cancellationToken).ConfigureAwait(false);
        }

        var root = await RootAsync(cancellationToken).ConfigureAwait(false);
        if (node.Directory is null)
        {
            await root.FlushIfValidAsync(cancellationToken).ConfigureAwait(false);
            root.Close();
            return _lastFile;
        }

        Cid rootCid = default;
        // Everything is written before the first directory is put out.
        await root.FlushAsync(cancellationToken).ConfigureAwait(false);
        await root.OutputAsync(
            "",
            (path, block) =>
            {
                rootCid = block.Cid;
                return OutputAsync(path, block.Cid, block.CumulativeSize, cancellationToken);
            },
            cancellationToken).ConfigureAwait(false);
        return rootCid;
    }

    private async ValueTask AddEntriesAsync(string path, string directory, CancellationToken cancellationToken)
    {
        if (path.Length > 0)
        {
            var root = await RootAsync(cancellationToken).ConfigureAwait(false);
            await root.MakePathAsync(path, cancellationToken).ConfigureAwait(false);
        }

        var entries = new UploadEntries(_cursor, directory);
        while (await entries.MoveNextAsync().ConfigureAwait(false))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var entryPath = ImportPath.Join(path, entries.Name);
            if (entries.Node.Directory is { } child)
            {
                await AddEntriesAsync(entryPath, child, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                await AddFileOrLinkAsync(entryPath, entries.Node.Part!, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async ValueTask AddFileOrLinkAsync(string path, ImportPart part, CancellationToken cancellationToken)
    {
        var added = part.Kind == ImportPartKind.Symlink
            ? await AddSymlinkAsync(part, cancellationToken).ConfigureAwait(false)
            : await AddFileAsync(path, part, cancellationToken).ConfigureAwait(false);
        _lastFile = added.Cid;

        var root = await RootAsync(cancellationToken).ConfigureAwait(false);
        // A top-level file is an entry of the root under its own CID: nobody sees that directory, but its blocks count.
        var stored = path.Length == 0 ? added.Cid.ToString() : path;
        var slash = stored.LastIndexOf('/');
        var parent = slash < 0 ? root : await root.MakePathAsync(stored[..slash], cancellationToken).ConfigureAwait(false);
        parent.Put(stored[(slash + 1)..], added.Cid, added.CumulativeSize);
        await OutputAsync(path, added.Cid, added.CumulativeSize, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<DagRoot> AddFileAsync(string path, ImportPart part, CancellationToken cancellationToken)
    {
        var content = _options.Progress ? new ProgressStream(part.Content, path, _output) : part.Content;
        using var chunker = Chunker.Create(_options.Chunker, content);
        if (_options.NoCopy && string.IsNullOrEmpty(part.AbsolutePath))
        {
            throw new ImportException("missing file path or URL, can't create filestore reference");
        }

        var layout = new FileLayout(_prefix, _options.RawLeaves, chunker, _blocks);
        return _options.Trickle
            ? await layout.BuildTrickleAsync(cancellationToken).ConfigureAwait(false)
            : await layout.BuildBalancedAsync(cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<DagRoot> AddSymlinkAsync(ImportPart part, CancellationToken cancellationToken)
    {
        MultihashSum.EnsureSupported(_prefix.HashCode);
        var target = await ReadTargetAsync(part.Content, cancellationToken).ConfigureAwait(false);
        var data = new UnixFsNode { Type = UnixFsType.Symlink, Data = target }.Encode();
        var block = DagPbNode.Encode([], data);
        var cid = _prefix.Sum(Multicodec.DagPb, block);
        await _blocks.WriteAsync(new IpldBlock(cid, block, (ulong)block.Length), cancellationToken).ConfigureAwait(false);
        return new DagRoot(cid, (ulong)block.Length, 0);
    }

    private static async ValueTask<byte[]> ReadTargetAsync(Stream content, CancellationToken cancellationToken)
    {
        using var target = new MemoryStream();
        var buffer = new byte[4096];
        int read;
        while ((read = await content.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
        {
            if (target.Length + read > Chunker.MaxChunkSize)
            {
                throw new ImportException("object size limit exceeded");
            }

            target.Write(buffer, 0, read);
        }

        return target.ToArray();
    }

    private async ValueTask<ImportDirectory> RootAsync(CancellationToken cancellationToken) =>
        _root ??= await ImportDirectory.CreateAsync(_prefix, _blocks, cancellationToken).ConfigureAwait(false);

    private ValueTask OutputAsync(string path, Cid cid, ulong cumulativeSize, CancellationToken cancellationToken) =>
        _output.WriteAsync(new ImportOutput(ImportPath.Join(_outputPrefix, path), cid, 0, cumulativeSize), cancellationToken);
}
