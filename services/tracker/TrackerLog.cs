namespace Cluster.Tracker;

/// <summary>What the tracker logs. Ids are stable; the facility is `pintracker` (spec/observability.md 5.2).</summary>
internal static partial class TrackerLog
{
    [LoggerMessage(2001, LogLevel.Error, "change {Sequence} of the pinset has no readable CID and is left out: {Error}")]
    public static partial void UnreadableCid(ILogger logger, ulong sequence, string error);

    [LoggerMessage(2002, LogLevel.Information, "watching the pinset from change {Sequence}")]
    public static partial void Watching(ILogger logger, ulong sequence);

    [LoggerMessage(2003, LogLevel.Warning, "the watch of the pinset ended, beginning again: {Error}")]
    public static partial void WatchEnded(ILogger logger, string error);

    [LoggerMessage(2004, LogLevel.Information, "the pinset was read anew: {Total} items, {Lost} to be looked for in the daemon")]
    public static partial void SnapshotDone(ILogger logger, long total, long lost);

    [LoggerMessage(2005, LogLevel.Information, "connected to the connector")]
    public static partial void ConnectorHere(ILogger logger);

    [LoggerMessage(2006, LogLevel.Warning, "the connector is gone, operations wait: {Error}")]
    public static partial void ConnectorGone(ILogger logger, string error);

    [LoggerMessage(2007, LogLevel.Information, "the daemon answers")]
    public static partial void DaemonUp(ILogger logger);

    [LoggerMessage(2008, LogLevel.Warning, "the daemon does not answer: {Error}")]
    public static partial void DaemonDown(ILogger logger, string error);

    [LoggerMessage(2009, LogLevel.Information, "compared {Compared} items with the daemon's {Pins} pins: {Lost} lost, {Found} found again")]
    public static partial void Compared(ILogger logger, long compared, long pins, long lost, long found);

    [LoggerMessage(2010, LogLevel.Warning, "could not compare with the daemon's pins, trying again in {Wait}: {Error}")]
    public static partial void CompareFailed(ILogger logger, TimeSpan wait, string error);

    [LoggerMessage(2011, LogLevel.Information, "Restarting pin operation for {Cid}")]
    public static partial void RestartingPin(ILogger logger, Ipld.Cid cid);

    [LoggerMessage(2012, LogLevel.Information, "Restarting unpin operation for {Cid}")]
    public static partial void RestartingUnpin(ILogger logger, Ipld.Cid cid);

    [LoggerMessage(2013, LogLevel.Critical, "the tracker cannot go on")]
    public static partial void Failed(ILogger logger, Exception exception);

    [LoggerMessage(2014, LogLevel.Information, "{Spared} of {Waiting} pins that waited are in the daemon already")]
    public static partial void Spared(ILogger logger, long spared, long waiting);
}
