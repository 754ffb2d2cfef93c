using System.Diagnostics.Metrics;
using Cluster.Consensus.Replication;
using Cluster.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Consensus.Lifecycle;

/// <summary>Owns the state: tells its size as a metric, and when the service stops, writes what was accepted and closes the database.</summary>
internal sealed class StateOwner : IHostedService, IDisposable
{
    private readonly IConsensus _consensus;
    private readonly Database _database;
    private readonly IAsyncDisposable _network;
    private readonly Departure _departure;
    private readonly ILogger _logger;
    private readonly Meter _meter = new("Cluster.Consensus");

    private readonly bool _supervised;

    /// <param name="consensus">The state's keeper.</param>
    /// <param name="database">Closed at the end.</param>
    /// <param name="network">Serves from the state: closed after the last change was told and before the database.</param>
    /// <param name="departure">Whether the peer leaves its cluster: then nothing of the state stays.</param>
    /// <param name="logger">Facility <c>cluster</c>.</param>
    /// <param name="supervised">A supervisor tells of the shutdown, at its beginning.</param>
    internal StateOwner(IConsensus consensus, Database database, IAsyncDisposable network, Departure departure, ILogger logger, bool supervised)
    {
        _supervised = supervised;
        _consensus = consensus;
        _database = database;
        _network = network;
        _departure = departure;
        _logger = logger;
        _meter.CreateObservableGauge(
            "ipfscluster_pins", () => (long)_consensus.State.Totals.Count, description: "Total number of cluster pins");
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (!_supervised)
            Log.ShuttingDown(_logger);
        _meter.Dispose();

        // Each step is taken whatever became of those before it: what was accepted is written, the database is closed.
        try
        {
            await _departure.BeginAsync(cancellationToken);
        }
        finally
        {
            try
            {
                await _consensus.ShutdownAsync(cancellationToken);
            }
            finally
            {
                try
                {
                    await _network.DisposeAsync();
                    await _departure.FinishAsync(cancellationToken);
                }
                finally
                {
                    _database.Dispose();
                }
            }
        }
    }

    public void Dispose() => _meter.Dispose();
}
