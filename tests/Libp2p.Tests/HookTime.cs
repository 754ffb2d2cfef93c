namespace Libp2p.Tests;

/// <summary>The system's time, which does something when it is asked for the so-manieth time: what else happens just then is chosen so.</summary>
internal sealed class HookTime : TimeProvider
{
    private Action? act;
    private int left;

    /// <summary>Whether it was done.</summary>
    public bool IsDone => Volatile.Read(ref act) is null;

    /// <summary>Does it when the time is asked for once more, or more often before.</summary>
    public void At(int call, Action what)
    {
        left = call;
        Volatile.Write(ref act, what);
    }

    /// <summary>Does nothing any more; true if it was done before.</summary>
    public bool Stop() => Interlocked.Exchange(ref act, null) is null;

    public override DateTimeOffset GetUtcNow()
    {
        if (Volatile.Read(ref act) is { } what && Interlocked.Decrement(ref left) == 0 && Interlocked.CompareExchange(ref act, null, what) == what) what();
        return base.GetUtcNow();
    }
}
