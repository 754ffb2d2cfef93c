namespace Libp2p;

/// <summary>A limit stands against a new connection or stream.</summary>
public sealed class ResourceLimitException(string limit) : IOException($"A resource limit is reached: {limit}.")
{
    /// <summary>Which limit, with its numbers.</summary>
    public string Limit { get; } = limit;
}
