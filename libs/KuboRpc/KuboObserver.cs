using Ipld;

namespace KuboRpc;

/// <summary>Told of what a client does, for counters and for informers; every method may be called from any thread.</summary>
public class KuboObserver
{
    /// <summary>A request goes out.</summary>
    /// <param name="target">Command and query.</param>
    public virtual void Posting(string target) { }

    /// <summary>No answer came.</summary>
    public virtual void PostFailed(KuboException failure) { }

    /// <summary>A CID that was not pinned yet is about to be.</summary>
    public virtual void PinStarted() { }

    /// <summary>That pin has ended, well or not.</summary>
    public virtual void PinEnded() { }

    /// <summary>A <c>pin/add</c> went out.</summary>
    public virtual void PinAddSent() { }

    /// <summary>It failed.</summary>
    public virtual void PinAddFailed() { }

    /// <summary>A CID is pinned now that was not before.</summary>
    public virtual void Pinned(DaemonPinRequest request, DaemonPinOutcome outcome) { }

    /// <summary>A CID was unpinned.</summary>
    public virtual void Unpinned(Cid cid) { }

    /// <summary>A stream of blocks began.</summary>
    public virtual void BlockStreamOpened() { }

    /// <summary>The daemon acknowledged a block of this many bytes.</summary>
    public virtual void BlockWritten(int bytes) { }

    /// <summary>A stream of blocks failed.</summary>
    public virtual void BlockStreamFailed() { }

    /// <summary>A stream of blocks ended, well or not.</summary>
    public virtual void BlockStreamEnded() { }

    /// <summary>A garbage collection ended, well or not.</summary>
    public virtual void RepoGcEnded() { }
}
