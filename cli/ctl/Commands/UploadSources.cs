using System.Runtime.CompilerServices;
using System.Text;
using Cluster.RestClient;

namespace Cluster.Ctl.Commands;

/// <summary>The files, folders, symlinks and URLs of an <c>add</c>, in the order in which they are sent: depth first, by name.</summary>
internal sealed class UploadSources
{
    private readonly List<(string Path, Uri? Url)> _sources = [];
    private readonly bool _hidden;
    private readonly EndpointOptions _endpoints;

    private UploadSources(bool hidden, EndpointOptions endpoints)
    {
        _hidden = hidden;
        _endpoints = endpoints;
    }

    /// <summary>Looks at every path before anything is sent.</summary>
    /// <exception cref="RequestException">One cannot be added; the text is the original's.</exception>
    public static UploadSources Open(IReadOnlyList<string> arguments, bool recursive, bool hidden, EndpointOptions endpoints)
    {
        var sources = new UploadSources(hidden, endpoints);
        foreach (var argument in arguments)
        {
            if (IsUrl(argument) && Uri.TryCreate(argument, UriKind.Absolute, out var url))
            {
                sources._sources.Add((argument, url));
                continue;
            }

            var path = Cleaned(argument);
            var kind = KindOf(path) ?? throw new RequestException($"lstat {path}: no such file or directory");
            if (kind == Kind.Folder && !recursive)
                throw new RequestException($"{path} is a directory, but Recursive option is not set");
            sources._sources.Add((path, null));
        }

        return sources;
    }

    /// <summary>Bytes of the local files, for progress; URLs do not tell theirs.</summary>
    public long TotalBytes() => _sources.Where(source => source.Url is null).Sum(source => BytesBelow(source.Path));

    public async IAsyncEnumerable<UploadPart> PartsAsync([EnumeratorCancellation] CancellationToken cancel = default)
    {
        foreach (var (path, url) in _sources)
        {
            if (url is not null)
            {
                yield return new UploadPart(
                    Uri.UnescapeDataString(url.AbsolutePath.Split('/')[^1]),
                    MultipartUpload.FileType,
                    token => WebDownload.OpenAsync(url, _endpoints, token))
                {
                    AbsolutePath = path,
                };
                continue;
            }

            var full = Path.GetFullPath(path);
            foreach (var part in PartsBelow(full, Path.GetFileName(full)))
            {
                cancel.ThrowIfCancellationRequested();
                yield return part;
            }
        }

        await Task.CompletedTask;
    }

    private IEnumerable<UploadPart> PartsBelow(string path, string name)
    {
        switch (KindOf(path))
        {
            case Kind.Symlink:
                var target = new FileInfo(path).LinkTarget ?? string.Empty;
                yield return new UploadPart(
                    name, MultipartUpload.SymlinkType, _ => Task.FromResult<Stream>(new MemoryStream(Encoding.UTF8.GetBytes(target))));
                break;
            case Kind.Folder:
                yield return new UploadPart(name, MultipartUpload.FolderType, _ => Task.FromResult<Stream>(new MemoryStream()))
                {
                    AbsolutePath = path,
                };
                foreach (var child in Directory.GetFileSystemEntries(path).Select(entry => Path.GetFileName(entry)).Order(StringComparer.Ordinal))
                {
                    if (!_hidden && child.StartsWith('.'))
                        continue;
                    foreach (var part in PartsBelow(Path.Combine(path, child), name + "/" + child))
                        yield return part;
                }

                break;
            case Kind.File:
                yield return new UploadPart(name, MultipartUpload.FileType, _ => Task.FromResult<Stream>(OpenFile(path))) { AbsolutePath = path };
                break;
        }
    }

    private static FileStream OpenFile(string path) => new(path, new FileStreamOptions
    {
        Mode = FileMode.Open, Access = FileAccess.Read, Share = FileShare.ReadWrite | FileShare.Delete,
        Options = FileOptions.Asynchronous | FileOptions.SequentialScan, BufferSize = 0,
    });

    private static long BytesBelow(string path) => KindOf(path) switch
    {
        Kind.File => new FileInfo(path).Length,
        Kind.Folder => Directory.EnumerateFileSystemEntries(path).Sum(BytesBelow),
        _ => 0,
    };

    private static bool IsUrl(string text) =>
        text.StartsWith("http://", StringComparison.OrdinalIgnoreCase) || text.StartsWith("https://", StringComparison.OrdinalIgnoreCase);

    private static string Cleaned(string path)
    {
        var trimmed = path.Length > 1 ? path.TrimEnd('/') : path;
        while (trimmed.StartsWith("./", StringComparison.Ordinal) && trimmed.Length > 2)
            trimmed = trimmed[2..];
        return trimmed.Length == 0 ? "/" : trimmed;
    }

    // A link itself, not what it points to.
    private static Kind? KindOf(string path)
    {
        var info = new FileInfo(path);
        if (info.LinkTarget is not null)
            return Kind.Symlink;
        return Directory.Exists(path) ? Kind.Folder : info.Exists ? Kind.File : null;
    }

    private enum Kind
    {
        File,
        Folder,
        Symlink,
    }
}
