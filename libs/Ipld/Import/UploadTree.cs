namespace Ipld;

/// <summary>A node of the upload: a file, a symlink, or a directory whose entries are the parts that follow.</summary>
/// <param name="Part">Null for a directory that no part of its own announced.</param>
/// <param name="Directory">The directory's path; null for files and symlinks.</param>
internal readonly record struct UploadNode(ImportPart? Part, string? Directory);

/// <summary>The sequence of parts with a look-ahead of one.</summary>
internal sealed class PartCursor(IAsyncEnumerator<ImportPart> parts)
{
    private ImportPart? _next;
    private bool _ended;

    public async ValueTask<ImportPart?> PeekAsync()
    {
        if (_next is null && !_ended)
        {
            if (await parts.MoveNextAsync().ConfigureAwait(false))
            {
                _next = parts.Current;
            }
            else
            {
                _ended = true;
            }
        }

        return _next;
    }

    public void Consume() => _next = null;
}

/// <summary>
/// The entries of one directory of the upload. Parts form a tree by their paths alone: missing directories appear, and
/// a directory ends with the first part outside of it (spec/rest-api.md 9.2, order).
/// </summary>
internal sealed class UploadEntries(PartCursor cursor, string path)
{
    public string Name { get; private set; } = "";

    public UploadNode Node { get; private set; }

    public async ValueTask<bool> MoveNextAsync()
    {
        while (await cursor.PeekAsync().ConfigureAwait(false) is { } part)
        {
            if (!ImportPath.IsChild(part.Path, path))
            {
                return false;
            }

            if (Name.Length > 0 && ImportPath.IsChild(part.Path, ImportPath.Join(path, Name)))
            {
                // Below an entry that was a file: the original passes over it without a word.
                cursor.Consume();
                continue;
            }

            var relative = ImportPath.MakeRelative(part.Path, path);
            var slash = relative.IndexOf('/', StringComparison.Ordinal);
            if (slash >= 0)
            {
                Name = relative[..slash];
                Node = new UploadNode(null, ImportPath.Join(path, Name));
                return true;
            }

            cursor.Consume();
            Name = relative;
            Node = new UploadNode(part, part.Kind == ImportPartKind.Directory ? part.Path : null);
            return true;
        }

        return false;
    }
}
