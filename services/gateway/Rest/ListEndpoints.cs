using Cluster.Contracts.V1;
using Cluster.Gateway.Http;
using Cluster.Gateway.Json;
using Cluster.Model;
using Ipld;

namespace Cluster.Gateway.Rest;

/// <summary>Lists, which stream: allocations, statuses, recovered pins, peers.</summary>
internal sealed class ListEndpoints(PeerClient peer)
{
    // A limit that no request of the accepted length can reach with CIDs that are any.
    private const int MostCids = 10_000;

    public IEnumerable<Route> Routes =>
    [
        new("GET", "/peers", PeersAsync),
        new("GET", "/allocations", AllocationsAsync),
        new("GET", "/pins", StatusesAsync),
        new("POST", "/pins/recover", RecoverAsync),
    ];

    private ValueTask PeersAsync(Exchange exchange) =>
        NdjsonAnswer.AnswerAsync(exchange, peer, "Peers", options => peer.Cluster.Peers(new PeersRequest(), options), static (to, message, _) =>
        {
            foreach (Contracts.V1.PeerInfo info in message.Peers)
            {
                PeerJson.Write(to, info);
                to.Append((byte)'\n');
            }

            return message.Peers.Count;
        });

    private ValueTask AllocationsAsync(Exchange exchange)
    {
        string filter = exchange.Query.Get("filter");
        var request = new AllocationsRequest();
        if (filter.Length > 0)
        {
            if (!PinTypes.TryParseFilter(filter, out Model.PinType types)) return exchange.AnswerErrorAsync(400, "invalid filter value");
            if (types != Model.PinType.All)
            {
                foreach (Model.PinType type in (ReadOnlySpan<Model.PinType>)[Model.PinType.Data, Model.PinType.Meta, Model.PinType.ClusterDag, Model.PinType.Shard])
                    if ((types & type) != 0) request.Types_.Add((Contracts.V1.PinType)type.ToStoredIndex());
            }
        }

        return NdjsonAnswer.AnswerAsync(exchange, peer, "Allocations", options => peer.Cluster.Allocations(request, options), static (to, message, _) =>
        {
            foreach (Contracts.V1.Pin pin in message.Pins)
            {
                PinJson.WriteStored(to, pin);
                to.Append((byte)'\n');
            }

            return message.Pins.Count;
        });
    }

    private ValueTask StatusesAsync(Exchange exchange)
    {
        var request = new StatusAllRequest { Local = PinEndpoints.IsLocal(exchange) };
        string cids = exchange.Query.Get("cids");
        if (cids.Length > 0)
        {
            foreach (Range range in cids.AsSpan().Split(','))
            {
                if (!Cid.TryParse(cids.AsSpan(range), out Cid cid, out string error)) return exchange.AnswerErrorAsync(400, $"error decoding Cid: {error}");
                request.Cids.Add(cid.Message());
                if (request.Cids.Count > MostCids) return exchange.AnswerErrorAsync(400, $"more than {MostCids} cids");
            }
        }
        else
        {
            if (!TrackerStatuses.TryParseFilter(exchange.Query.Get("filter"), out Model.TrackerStatus filter)) return exchange.AnswerErrorAsync(400, "invalid filter value");
            request.StatusMask = (int)filter;
        }

        return NdjsonAnswer.AnswerAsync<GlobalPinInfoBatch>(exchange, peer, "StatusAll", options => peer.Cluster.StatusAll(request, options), WriteStatuses);
    }

    private ValueTask RecoverAsync(Exchange exchange)
    {
        var request = new RecoverAllRequest { Local = PinEndpoints.IsLocal(exchange) };
        return NdjsonAnswer.AnswerAsync<GlobalPinInfoBatch>(exchange, peer, "RecoverAll", options => peer.Cluster.RecoverAll(request, options), WriteStatuses);
    }

    private static int WriteStatuses(ByteBuffer to, GlobalPinInfoBatch message, List<string> failures)
    {
        foreach (Contracts.V1.GlobalPinInfo status in message.Items)
        {
            StatusJson.Write(to, status);
            to.Append((byte)'\n');
        }

        foreach (StatusFailure failure in message.Failures) failures.Add(failure.Error.Message);
        return message.Items.Count;
    }
}
