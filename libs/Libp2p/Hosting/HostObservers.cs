using System.Collections.Immutable;

namespace Libp2p.Hosting;

/// <summary>The observers of a host; a failing one does not keep the others from hearing.</summary>
internal sealed class HostObservers(HostLog log)
{
    private ImmutableArray<IHostObserver> observers = [];

    public IDisposable Add(IHostObserver observer)
    {
        ImmutableInterlocked.Update(ref observers, static (list, item) => list.Add(item), observer);
        return new Subscription(this, observer);
    }

    public void Tell(Action<IHostObserver> what)
    {
        foreach (var observer in observers)
        {
            try
            {
                what(observer);
            }
            catch (Exception e)
            {
                log.ObserverFailed(e);
            }
        }
    }

    private sealed class Subscription(HostObservers owner, IHostObserver observer) : IDisposable
    {
        public void Dispose() => ImmutableInterlocked.Update(ref owner.observers, static (list, item) => list.Remove(item), observer);
    }
}
