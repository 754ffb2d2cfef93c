using Ipld;
using KuboRpc.Json;

namespace KuboRpc;

/// <summary>What a content path leads to.</summary>
/// <param name="Cid">The content.</param>
/// <param name="Path">The resolved path as the daemon has it.</param>
public readonly record struct ResolvedPath(Cid Cid, string Path);

public sealed partial class KuboClient
{
    /// <summary>
    /// Resolves <c>/ipfs/CID/...</c>, <c>/ipld/...</c>, <c>/ipns/...</c> or <c>CID/...</c>. A path that is only a CID leads to itself
    /// without asking the daemon.
    /// </summary>
    /// <exception cref="ContentPathException">The text, or the daemon's answer, is no such path.</exception>
    public async Task<ResolvedPath> ResolveAsync(string path, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (!ContentPath.TryParse(path, out var parsed, out _))
        {
            var prefixed = "/ipfs/" + path;
            if (!ContentPath.TryParse(prefixed, out parsed, out var why))
                throw new ContentPathException(prefixed, why);
        }
        if (parsed is { Root: { } root, HasRemainder: false })
            return new ResolvedPath(root, parsed.Text);
        using var limit = _transport.Limit(_options.RequestTimeout, cancellationToken);
        using var answer = await _transport.PostAsync($"resolve?arg={JsonFields.Escape(parsed.Text)}", limit);
        using var document = await answer.ReadDocumentAsync();
        var text = JsonFields.Text(document.RootElement, "Path");
        if (!ContentPath.TryParse(text, out var resolved, out var wrong))
            throw new ContentPathException(text, wrong);
        return resolved.Root is { } cid
            ? new ResolvedPath(cid, resolved.Text)
            : throw new ContentPathException(text, "path was expected to be immutable");
    }
}
