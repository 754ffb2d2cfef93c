using System.Threading.Channels;

namespace Cluster.Monitor.Running;

/// <summary>A watcher's end of what it watches; closing it ends the watching.</summary>
public sealed class Watch<T>(ChannelReader<T> reader, Action close) : IDisposable
{
    /// <summary>What is to be told, in order.</summary>
    /// <exception cref="WatcherTooSlowException">More came than may wait.</exception>
    public IAsyncEnumerable<T> ReadAllAsync(CancellationToken cancellationToken) => reader.ReadAllAsync(cancellationToken);

    /// <summary>Takes what waits, without waiting.</summary>
    public bool TryRead(out T item) => reader.TryRead(out item!);

    /// <inheritdoc/>
    public void Dispose() => close();
}

/// <summary>A watcher was too far behind. It starts over, and gets what holds then.</summary>
public sealed class WatcherTooSlowException() : Exception("the watcher is too far behind; watch again");
