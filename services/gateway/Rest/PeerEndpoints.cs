using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using Cluster.Contracts.V1;
using Cluster.Gateway.Http;
using Cluster.Gateway.Json;
using Libp2p;

namespace Cluster.Gateway.Rest;

/// <summary>Peers, health, metrics, garbage collection (<c>spec/rest-api.md</c> section 10).</summary>
internal sealed class PeerEndpoints(PeerClient peer)
{
    // {"peer_id":"…"} needs a hundred; the rest is patience with odd clients.
    private const int MostBodyBytes = 64 * 1024;

    public IEnumerable<Route> Routes =>
    [
        new("GET", "/id", x => Json(x, "Id", o => peer.Cluster.IdAsync(new IdRequest(), o), PeerJson.Write)),
        new("GET", "/version", x => Json(x, "Version", o => peer.Cluster.VersionAsync(new Empty(), o), static (to, version) => PeerJson.WriteVersion(to, version.Version))),
        new("POST", "/peers", x => PinEndpoints.Answering(x, AddAsync)),
        new("DELETE", "/peers/{peer}", x => PinEndpoints.Answering(x, RemoveAsync)),
        new("GET", "/health", Alive),
        new("GET", "/health/graph", x => Json(x, "ConnectGraph", o => peer.Cluster.ConnectGraphAsync(new Empty(), o), PeerJson.Write)),
        new("GET", "/health/alerts", x => Json(x, "Alerts", o => peer.Cluster.AlertsAsync(new Empty(), o), static (to, alerts) => PeerJson.Write(to, alerts.Alerts))),
        new("GET", "/health/bandwidth", x => Json(x, "Bandwidth", o => peer.Cluster.BandwidthAsync(new Empty(), o), PeerJson.Write)),
        new("GET", "/monitor/metrics", x => Json(x, "Names", o => peer.Monitor.NamesAsync(new Empty(), o), static (to, names) => PeerJson.Write(to, names.Names))),
        new("GET", "/monitor/metrics/{name}", x => Json(x, "Latest", o => peer.Monitor.LatestAsync(new LatestRequest { Name = x.Parameters.First }, o), static (to, latest) => PeerJson.Write(to, latest.Metrics))),
        new("POST", "/ipfs/gc", x => PinEndpoints.Answering(x, CollectAsync)),
    ];

    private static ValueTask Alive(Exchange exchange)
    {
        exchange.AnswerEmpty(204, json: true);
        return ValueTask.CompletedTask;
    }

    private ValueTask Json<T>(Exchange exchange, string name, Func<Grpc.Core.CallOptions, Grpc.Core.AsyncUnaryCall<T>> send, Action<IBufferWriter<byte>, T> write) =>
        PinEndpoints.Answering(exchange, async x =>
        {
            T answer = await peer.UnaryAsync(name, send, PeerClient.CallDeadline, x.Aborted).ConfigureAwait(false);
            ByteBuffer buffer = x.Scratch;
            write(buffer, answer);
            await x.AnswerJsonAsync(200, buffer).ConfigureAwait(false);
        });

    private async ValueTask AddAsync(Exchange exchange)
    {
        (bool isObject, string? text) = await ReadPeerAsync(exchange.Body, exchange.Aborted).ConfigureAwait(false);
        if (!isObject) await exchange.AnswerErrorAsync(400, "error decoding request body").ConfigureAwait(false);
        else if (!PeerId.TryParse(text, out PeerId id, out _)) await exchange.AnswerErrorAsync(400, "error decoding peer_id").ConfigureAwait(false);
        else
        {
            var request = new PeerAddRequest { Peer = id.Message() };
            PeerInfo added = await peer.UnaryAsync("PeerAdd", o => peer.Cluster.PeerAddAsync(request, o), PeerClient.CallDeadline, exchange.Aborted).ConfigureAwait(false);
            ByteBuffer buffer = exchange.Scratch;
            PeerJson.Write(buffer, added);
            await exchange.AnswerJsonAsync(200, buffer).ConfigureAwait(false);
        }
    }

    private async ValueTask RemoveAsync(Exchange exchange)
    {
        if (!PeerId.TryParse(exchange.Parameters.First, out PeerId id, out string error))
        {
            await exchange.AnswerErrorAsync(400, $"error decoding Peer ID: {Complaint(exchange.Parameters.First!, error)}").ConfigureAwait(false);
            return;
        }

        var request = new PeerRemoveRequest { Peer = id.Message() };
        await peer.UnaryAsync("PeerRemove", o => peer.Cluster.PeerRemoveAsync(request, o), PeerClient.CallDeadline, exchange.Aborted).ConfigureAwait(false);
        exchange.AnswerEmpty(204, json: true);
    }

    /// <summary>In the original's words: what is not base58 should have been a CID.</summary>
    private static string Complaint(string text, string error) =>
        !text.StartsWith("Qm", StringComparison.Ordinal) && !text.StartsWith('1') && !Ipld.Cid.TryParse(text, out _, out string complaint)
            ? $"failed to parse peer ID: {complaint}"
            : $"failed to parse peer ID: {error}";

    private async ValueTask CollectAsync(Exchange exchange)
    {
        bool local = PinEndpoints.IsLocal(exchange);
        var request = new ClusterRepoGcRequest { Local = local };
        ClusterRepoGcResponse collected = await peer.UnaryAsync("RepoGc", o => peer.Cluster.RepoGcAsync(request, o), PeerClient.CollectionDeadline, exchange.Aborted).ConfigureAwait(false);
        if (local && collected.Peers is [{ Error.Length: > 0 } failed])
        {
            await exchange.AnswerErrorAsync(500, failed.Error).ConfigureAwait(false);
            return;
        }

        ByteBuffer buffer = exchange.Scratch;
        PeerJson.Write(buffer, collected.Peers);
        await exchange.AnswerJsonAsync(200, buffer).ConfigureAwait(false);
    }

    /// <summary>The <c>peer_id</c> of the first JSON value of a body, which must be an object; what follows it is not looked at.</summary>
    private static async ValueTask<(bool IsObject, string? Peer)> ReadPeerAsync(PipeReader body, CancellationToken cancellation)
    {
        ReadResult read = await body.ReadAtLeastAsync(MostBodyBytes, cancellation).ConfigureAwait(false);
        (bool, string?) found = ReadPeer(read.Buffer.Slice(0, Math.Min(read.Buffer.Length, MostBodyBytes)));
        body.AdvanceTo(read.Buffer.End);
        return found;
    }

    private static (bool IsObject, string? Peer) ReadPeer(ReadOnlySequence<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            if (!reader.Read()) return (false, null);
            if (reader.TokenType == JsonTokenType.Null) return (true, null);
            if (reader.TokenType != JsonTokenType.StartObject) return (false, null);
            string? peer = null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                bool wanted = string.Equals(reader.GetString(), "peer_id", StringComparison.OrdinalIgnoreCase);
                reader.Read();
                if (!wanted) reader.Skip();
                else if (reader.TokenType == JsonTokenType.String) peer = reader.GetString();
                else if (reader.TokenType != JsonTokenType.Null) return (false, null);
            }

            return (reader.TokenType == JsonTokenType.EndObject, peer);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return (false, null);
        }
    }
}
