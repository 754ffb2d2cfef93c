using System.Security.Cryptography;
using System.Text;
using Cluster.Model;

namespace Cluster.RestClient;

/// <summary>A part of an upload: a file, a folder (its children follow it) or a symlink.</summary>
/// <param name="Name">Path below and including the top-level name.</param>
/// <param name="ContentType">Tells files, folders and symlinks apart.</param>
/// <param name="Open">Opens the content.</param>
public sealed record UploadPart(string Name, string ContentType, Func<CancellationToken, Task<Stream>> Open)
{
    /// <summary>Where the content comes from: a local path or a URL; empty for none.</summary>
    public string AbsolutePath { get; init; } = string.Empty;
}

/// <summary>The multipart body of <c>POST /add</c> (spec/rest-api.md 9.2). Parts are opened and read when their turn comes.</summary>
public sealed class MultipartUpload(IAsyncEnumerable<UploadPart> parts)
{
    public const string FileType = "application/octet-stream";

    public const string FolderType = "application/x-directory";

    public const string SymlinkType = "application/symlink";

    private readonly string _boundary = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(30));

    /// <summary>Told how many bytes of files were sent; for progress.</summary>
    public Action<long>? Progress { get; init; }

    public string ContentType => "multipart/form-data; boundary=" + _boundary;

    internal async Task WriteAsync(Stream output, CancellationToken cancel)
    {
        var buffer = new byte[64 * 1024];
        long sent = 0;
        var first = true;
        await foreach (var part in parts.WithCancellation(cancel))
        {
            var head = new StringBuilder();
            head.Append(first ? string.Empty : "\r\n").Append("--").Append(_boundary).Append("\r\n");
            first = false;
            if (part.AbsolutePath.Length > 0)
                head.Append("Abspath-Encoded: ").Append(GoQuery.Escape(part.AbsolutePath)).Append("\r\n");
            head.Append("Content-Disposition: form-data; name=\"file\"; filename=\"").Append(GoQuery.Escape(part.Name)).Append("\"\r\n");
            head.Append("Content-Type: ").Append(part.ContentType).Append("\r\n\r\n");
            await output.WriteAsync(Encoding.ASCII.GetBytes(head.ToString()), cancel);
            await using var content = await part.Open(cancel);
            int read;
            while ((read = await content.ReadAsync(buffer, cancel)) > 0)
            {
                await output.WriteAsync(buffer.AsMemory(0, read), cancel);
                sent += read;
                Progress?.Invoke(sent);
            }
        }

        await output.WriteAsync(Encoding.ASCII.GetBytes($"{(first ? string.Empty : "\r\n")}--{_boundary}--\r\n"), cancel);
    }
}
