namespace Cluster.Monitor.Informers;

/// <summary>The operator's own words for this peer, <c>tag:group</c> for example; pins are spread over their values.</summary>
public sealed class TagsInformer(IReadOnlyDictionary<string, string> tags, TimeSpan timeToLive) : IInformer
{
    private readonly IReadOnlyList<Finding> _findings = tags.Count == 0
        ? [new Finding("tag:none", "", false)]
        : [.. tags.OrderBy(tag => tag.Key, StringComparer.Ordinal).Select(tag => new Finding("tag:" + tag.Key, tag.Value, true, 0, true))];

    /// <inheritdoc/>
    public string Name => "tags";

    /// <inheritdoc/>
    public TimeSpan TimeToLive => timeToLive;

    /// <inheritdoc/>
    public Task<IReadOnlyList<Finding>> FindAsync(CancellationToken cancellationToken) => Task.FromResult(_findings);
}
