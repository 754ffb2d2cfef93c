namespace Ipld;

/// <summary>
/// Turns an upload into blocks: parts come in as they arrive, blocks go to a sink that may hold them back, output
/// objects in the original's order (spec/rest-api.md 9). For one import only.
/// </summary>
public sealed class Importer(ImportOptions options, IBlockSink blocks, IImportOutput output)
{
    private bool _used;

    /// <summary>Runs the import and returns the root of the last top-level entry, the one to pin.</summary>
    /// <param name="parts">In the order of arrival. What the source throws (a cut upload) ends the import as it is.</param>
    /// <param name="cancellationToken">Ends the import, for instance when the client is gone.</param>
    /// <exception cref="ImportException">The upload or its parameters are wrong; the message is the original's.</exception>
    /// <exception cref="CidFormatException">The CID options do not go together, or a CAR has a bad CID.</exception>
    /// <exception cref="MultihashException">The hash function has a name but no implementation.</exception>
    /// <exception cref="CarException">The CAR is broken.</exception>
    /// <exception cref="IpldDecodeException">A block of the CAR is not what its CID says.</exception>
    public async Task<Cid> RunAsync(IAsyncEnumerable<ImportPart> parts, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(parts);
        if (_used)
        {
            throw new InvalidOperationException("an importer is for one import");
        }

        _used = true;
        var enumerator = parts.GetAsyncEnumerator(cancellationToken);
        await using (enumerator.ConfigureAwait(false))
        {
            var cursor = new PartCursor(enumerator);
            var sink = new RecentBlockFilter(blocks);
            return options.Car
                ? await ImportCarAsync(cursor, sink, cancellationToken).ConfigureAwait(false)
                : await ImportUnixFsAsync(cursor, sink, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask<Cid> ImportUnixFsAsync(PartCursor cursor, IBlockSink sink, CancellationToken cancellationToken)
    {
        var import = new UnixFsImport(options, sink, output, cursor);
        if (options.WrapWithDirectory)
        {
            return await import.AddAsync("", new UploadNode(null, "/"), cancellationToken).ConfigureAwait(false);
        }

        Cid? root = null;
        var entries = new UploadEntries(cursor, "/");
        while (await entries.MoveNextAsync().ConfigureAwait(false))
        {
            cancellationToken.ThrowIfCancellationRequested();
            root = await import.AddAsync(entries.Name, entries.Node, cancellationToken).ConfigureAwait(false);
        }

        // The original crashes here (golden/kubo/README.md, faults, 1).
        return root ?? throw new ImportException("no files to add: the request has no file part");
    }

    private async ValueTask<Cid> ImportCarAsync(PartCursor cursor, IBlockSink sink, CancellationToken cancellationToken)
    {
        var entries = new UploadEntries(cursor, "/");
        if (options.WrapWithDirectory)
        {
            throw new ImportException("cannot wrap a CAR file upload");
        }

        if (!await entries.MoveNextAsync().ConfigureAwait(false))
        {
            throw new ImportException("no files to add: the request has no file part");
        }

        return entries.Node is { Directory: null, Part: { Kind: ImportPartKind.File } part }
            ? await new CarImport(sink, output).AddAsync(entries.Name, part.Content, cancellationToken).ConfigureAwait(false)
            : throw new ImportException("expected CAR file is not of type file");
    }
}

/// <summary>Passes on a block only if it is neither of the last two (spec/behaviour.md 19.2, duplicate blocks).</summary>
internal sealed class RecentBlockFilter(IBlockSink inner) : IBlockSink
{
    private Cid _last;
    private Cid _beforeLast;

    public async ValueTask WriteAsync(IpldBlock block, CancellationToken cancellationToken)
    {
        if (block.Cid == _last || block.Cid == _beforeLast)
        {
            return;
        }

        await inner.WriteAsync(block, cancellationToken).ConfigureAwait(false);
        (_last, _beforeLast) = (block.Cid, _last);
    }
}
