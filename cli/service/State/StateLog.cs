using Microsoft.Extensions.Logging;

namespace Cluster.Service.State;

/// <summary>What the state commands log (spec/service-cli.md 2.3 to 2.6). Ids 8201 to 8299.</summary>
internal static partial class StateLog
{
    [LoggerMessage(8201, LogLevel.Information, "state successfully exported")]
    internal static partial void Exported(ILogger service);

    [LoggerMessage(8202, LogLevel.Information, "state successfully imported.  Make sure all peers have consistent states")]
    internal static partial void Imported(ILogger service);

    [LoggerMessage(8203, LogLevel.Information, "data correctly cleaned up")]
    internal static partial void Cleaned(ILogger service);

    [LoggerMessage(8204, LogLevel.Information, "cleaning all CRDT data from datastore")]
    internal static partial void CleaningCrdt(ILogger crdt);

    [LoggerMessage(8205, LogLevel.Information, "initiating CDRT-DAG DOT file export. Export might take a long time on large graphs")]
    internal static partial void WritingDot(ILogger service);

    [LoggerMessage(8206, LogLevel.Information, "dot file {File}")]
    internal static partial void WroteDot(ILogger service, string file);

    [LoggerMessage(8207, LogLevel.Warning, "marking datastore as dirty")]
    internal static partial void MarkingDirty(ILogger crdt);

    [LoggerMessage(8208, LogLevel.Information, "marking datastore as clean")]
    internal static partial void MarkingClean(ILogger crdt);
}
