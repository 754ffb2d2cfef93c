using System.Runtime.CompilerServices;
using Ipld;
using KuboRpc.Json;

namespace KuboRpc;

/// <summary>The size of the daemon's repository, in bytes.</summary>
/// <param name="RepoSize">Bytes in use.</param>
/// <param name="StorageMax">Its limit; 0 when the daemon names none.</param>
public readonly record struct RepoStat(ulong RepoSize, ulong StorageMax);

/// <summary>One object that a garbage collection removed, or why it could not.</summary>
/// <param name="Key">What was removed; null with an error.</param>
/// <param name="Error">Empty, or why.</param>
public readonly record struct RepoGcItem(Cid? Key, string Error);

public sealed partial class KuboClient
{
    /// <summary>How full the repository is. JS-IPFS walks its blocks for this: 0.1 to 0.8 s (spec/local-ipfs.md).</summary>
    public async Task<RepoStat> RepoStatAsync(CancellationToken cancellationToken = default)
    {
        using var limit = _transport.Limit(_options.RequestTimeout, cancellationToken);
        using var answer = await _transport.PostAsync("repo/stat?size-only=true", limit);
        using var document = await answer.ReadDocumentAsync();
        return new RepoStat(JsonFields.Size(document.RootElement, "RepoSize"), JsonFields.Size(document.RootElement, "StorageMax"));
    }

    /// <summary>Removes what is not pinned; each object as it goes.</summary>
    public async IAsyncEnumerable<RepoGcItem> RepoGcAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var limit = _transport.Limit(_options.RepoGcTimeout, cancellationToken);
        try
        {
            using var answer = await _transport.PostAsync("repo/gc?stream-errors=true", limit);
            var errors = false;
            await foreach (var value in answer.ReadValuesAsync(tolerateLateError: true))
            {
                var item = ReadGcItem(value);
                errors |= item.Error.Length > 0;
                yield return item;
            }
            // Kubo's trailer only repeats that there were errors (spec/behaviour.md 16.6); alone it is the error.
            if (!errors && answer.LateError is { } late)
                throw new DaemonAnswerException(late);
        }
        finally
        {
            _observer.RepoGcEnded();
        }
    }

    private static RepoGcItem ReadGcItem(ReadOnlyMemory<byte> value)
    {
        using var document = JsonFields.Parse(value);
        var error = JsonFields.Text(document.RootElement, "Error");
        var key = JsonFields.Find(document.RootElement, "Key");
        if (key == null)
            return new RepoGcItem(null, error);
        return new RepoGcItem(DaemonCid.Parse(JsonFields.Text(key.Value, "/")), error);
    }
}
