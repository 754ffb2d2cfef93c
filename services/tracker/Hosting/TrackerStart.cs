using System.Text.Json;
using Cluster.Contracts.V1;
using Cluster.Hosting;
using Cluster.Storage;
using Cluster.Tracker.Core;
using Grpc.Core;
using Libp2p;

namespace Cluster.Tracker.Hosting;

/// <summary>Puts the tracker together from what its process was told.</summary>
public static class TrackerStart
{
    private static readonly TimeSpan BetweenTries = TimeSpan.FromMilliseconds(500);

    /// <summary>Opens the index in the folder <c>tracker</c> of the configuration folder.</summary>
    /// <exception cref="ServiceStartException">The index or the identity cannot be read.</exception>
    public static async Task<TrackerAssembly> OpenAsync(ServiceContext context, TimeProvider time, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(context);
        var configuration = context.Configuration;
        var settings = new TrackerSettings
        {
            ConcurrentPins = configuration.Stateless.ConcurrentPins,
            MaxPinQueueSize = configuration.Stateless.MaxPinQueueSize,
            PriorityPinMaxAge = configuration.Stateless.PriorityPinMaxAge.ToTimeSpan(),
            PriorityPinMaxRetries = configuration.Stateless.PriorityPinMaxRetries,
            PinRecoverInterval = configuration.Cluster.PinRecoverInterval.ToTimeSpan(),
        };
        var consensus = context.Channels.For(ServiceName.Consensus);
        var id = ReadPeerId(context) ?? await AskPeerIdAsync(new Contracts.V1.Cluster.ClusterClient(consensus), time, cancellation);
        var peer = new TrackerPeer(id.ToBytes(), configuration.Cluster.PeerName);
        try
        {
            return new TrackerAssembly(
                Path.Combine(context.Folder, "tracker"), settings, peer, new Contracts.V1.State.StateClient(consensus),
                new Connector.ConnectorClient(context.Channels.For(ServiceName.Connector)), time, context.Logger("pintracker"));
        }
        catch (StorageException e)
        {
            throw new ServiceStartException("opening the tracker's index", e.Message, e);
        }
    }

    /// <summary>
    /// The peer's id, from the variable or the file that hold it; null where neither is, as in a container of its own. The private key
    /// beside it is none of the tracker's business and is not looked at.
    /// </summary>
    private static PeerId? ReadPeerId(ServiceContext context)
    {
        var text = context.Options.Variable("CLUSTER_ID");
        var path = Path.Combine(context.Folder, "identity.json");
        if (string.IsNullOrEmpty(text) && !File.Exists(path))
            return null;
        try
        {
            if (string.IsNullOrEmpty(text))
            {
                using var document = JsonDocument.Parse(File.ReadAllBytes(path));
                text = document.RootElement.GetProperty("id").GetString();
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or IOException or UnauthorizedAccessException)
        {
            throw new ServiceStartException("loading configurations", $"error loading identity from {path}: {e.Message}", e);
        }

        return PeerId.TryParse(text, out var id, out var error)
            ? id
            : throw new ServiceStartException("loading configurations", $"error decoding cluster ID: {error}");
    }

    private static async Task<PeerId> AskPeerIdAsync(
        Contracts.V1.Cluster.ClusterClient consensus, TimeProvider time, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                var info = await consensus.IdAsync(new IdRequest(), cancellationToken: cancellation);
                return PeerId.FromBytes(info.Id.Span);
            }
            catch (RpcException e) when (e.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded)
            {
                await Task.Delay(BetweenTries, time, cancellation);
            }
        }
    }
}
