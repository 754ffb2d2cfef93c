namespace Cluster.Tracker.Core;

/// <summary>
/// Says when so many pins wait that the daemon is better asked for a list of all it has than for each of them. A peer that joins with a
/// daemon that has the pins already, or whose state was lost, settles them with a listing or two. Not for several threads at a time.
/// </summary>
internal sealed class Backlog
{
    /// <summary>Fewer than so many that wait are not worth a listing.</summary>
    internal const long First = 1000;

    /// <summary>A burst of so many is worth one, however often there was nothing to find.</summary>
    internal const long Last = 64_000;

    /// <summary>A daemon lists at least so many pins in the time in which it answers whether it has one.</summary>
    internal const long ListedPerQuestion = 20;

    private long _worth = First;
    private long _daemonPins;

    /// <summary>Whether it is time for a listing, with so many pins that wait.</summary>
    internal bool IsWorthListing(long waiting) => waiting >= _worth && waiting * ListedPerQuestion >= _daemonPins;

    /// <summary>There was a listing. Where it spared next to nothing, the next burst must be larger: these are pins that the daemon does not know.</summary>
    /// <param name="waiting">Pins that waited before.</param>
    /// <param name="spared">Those of them that the daemon had.</param>
    /// <param name="daemonPins">All that the daemon has.</param>
    internal void Listed(long waiting, long spared, long daemonPins)
    {
        _daemonPins = daemonPins;
        _worth = spared * 10 >= waiting ? First : Math.Clamp(waiting * 2, First, Last);
    }
}
