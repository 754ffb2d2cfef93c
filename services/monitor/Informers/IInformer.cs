namespace Cluster.Monitor.Informers;

/// <summary>What an informer found out: a metric before its peer and expiry are set.</summary>
/// <param name="Name">For example <c>freespace</c>.</param>
/// <param name="Value">Its value as text.</param>
/// <param name="Valid">An invalid one is not published.</param>
/// <param name="Weight">Allocations prefer greater weights.</param>
/// <param name="Partitionable">Whether pins are spread over its values.</param>
public readonly record struct Finding(string Name, string Value, bool Valid, long Weight = 0, bool Partitionable = false);

/// <summary>Finds out something about this peer, again and again (spec/behaviour.md 18).</summary>
public interface IInformer
{
    /// <summary>Name for logs.</summary>
    string Name { get; }

    /// <summary>How long what it finds holds.</summary>
    TimeSpan TimeToLive { get; }

    /// <summary>Finds out. What cannot be found out is an invalid finding, not an exception.</summary>
    Task<IReadOnlyList<Finding>> FindAsync(CancellationToken cancellationToken);
}
