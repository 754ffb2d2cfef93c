using System.Diagnostics.Metrics;
using Ipld;
using KuboRpc;
using Microsoft.Extensions.Logging;

namespace Cluster.Connector.Running;

/// <summary>Counts and logs what the client does (spec/observability.md 3.1), and notices when the informers are due.</summary>
public sealed class ConnectorObserver : KuboObserver
{
    private readonly ILogger _logger;
    private readonly Counter<long> _pinAdds;
    private readonly Counter<long> _pinAddErrors;
    private readonly Counter<long> _blockStreams;
    private readonly Counter<long> _blocks;
    private readonly Counter<long> _blockBytes;
    private readonly Counter<long> _blockErrors;
    private readonly int _triggerInterval;
    private long _pins;
    private int _sinceTrigger;

    /// <param name="meter">Makes the instruments.</param>
    /// <param name="triggerInterval">Changes of the daemon's content after which informers are due; 0 = never (spec/behaviour.md 16.6).</param>
    /// <param name="logger">Facility <c>ipfshttp</c>.</param>
    public ConnectorObserver(Meter meter, int triggerInterval, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(meter);
        _logger = logger;
        _triggerInterval = triggerInterval;
        _pinAdds = meter.CreateCounter<long>("ipfscluster_pins_pin_add", description: "Total number of IPFS pin requests");
        _pinAddErrors = meter.CreateCounter<long>("ipfscluster_pins_pin_add_errors", description: "Total number of failed pin requests");
        _blockStreams = meter.CreateCounter<long>("ipfscluster_blocks_put", description: "Total number of blocks/put requests");
        _blocks = meter.CreateCounter<long>("ipfscluster_blocks_added", description: "Total number of blocks added");
        _blockBytes = meter.CreateCounter<long>("ipfscluster_blocks_added_size", description: "Total size of blocks added in bytes");
        _blockErrors = meter.CreateCounter<long>("ipfscluster_blocks_put_errors", description: "Total number of block/put errors");
        meter.CreateObservableGauge("ipfscluster_pins_ipfs_pins", () => Volatile.Read(ref _pins), description: "Number of items pinned on IPFS");
    }

    /// <summary>Raised when the informers are due.</summary>
    public event Action? InformersDue;

    /// <summary>A whole listing of the daemon's recursive pins had so many.</summary>
    public void Listed(long pins) => Volatile.Write(ref _pins, pins);

    /// <inheritdoc/>
    public override void Posting(string target) => ConnectorLog.Posting(_logger, target);

    /// <inheritdoc/>
    public override void PostFailed(KuboException failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        ConnectorLog.PostFailed(_logger, failure.Message);
    }

    /// <inheritdoc/>
    public override void PinStarted() => Changed();

    /// <inheritdoc/>
    public override void PinEnded() => Changed();

    /// <inheritdoc/>
    public override void PinAddSent() => _pinAdds.Add(1);

    /// <inheritdoc/>
    public override void PinAddFailed() => _pinAddErrors.Add(1);

    /// <inheritdoc/>
    public override void Pinned(DaemonPinRequest request, DaemonPinOutcome outcome)
    {
        ArgumentNullException.ThrowIfNull(request);
        Interlocked.Increment(ref _pins);
        if (outcome == DaemonPinOutcome.Updated)
            ConnectorLog.Updated(_logger, request.UpdateFrom, request.Cid);
        else
            ConnectorLog.Pinned(_logger, request.Cid);
    }

    /// <inheritdoc/>
    public override void Unpinned(Cid cid)
    {
        Interlocked.Decrement(ref _pins);
        ConnectorLog.Unpinned(_logger, cid);
    }

    /// <inheritdoc/>
    public override void BlockStreamOpened()
    {
        ConnectorLog.StreamingBlocks(_logger);
        _blockStreams.Add(1);
    }

    /// <inheritdoc/>
    public override void BlockWritten(int bytes)
    {
        _blocks.Add(1);
        _blockBytes.Add(bytes);
    }

    /// <inheritdoc/>
    public override void BlockStreamFailed() => _blockErrors.Add(1);

    /// <inheritdoc/>
    public override void BlockStreamEnded() => Changed();

    /// <inheritdoc/>
    public override void RepoGcEnded() => Changed();

    private void Changed()
    {
        if (_triggerInterval <= 0 || Interlocked.Increment(ref _sinceTrigger) < _triggerInterval)
            return;
        Interlocked.Exchange(ref _sinceTrigger, 0);
        InformersDue?.Invoke();
    }
}
