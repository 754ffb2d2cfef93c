using Cluster.Contracts.V1;
using Cluster.Gateway.Http;
using Cluster.Gateway.Json;
using Cluster.Model;
using Grpc.Core;
using Ipld;

namespace Cluster.Gateway.Rest;

/// <summary>Single pins: submit, remove, look up, status, recover (<c>spec/rest-api.md</c> section 8).</summary>
internal sealed class PinEndpoints(PeerClient peer)
{
    public IEnumerable<Route> Routes =>
    [
        new("GET", "/allocations/{hash}", x => Answering(x, AllocationAsync)),
        new("GET", "/pins/{hash}", x => Answering(x, StatusAsync)),
        new("POST", "/pins/{hash}", x => Answering(x, PinAsync)),
        new("DELETE", "/pins/{hash}", x => Answering(x, UnpinAsync)),
        new("POST", "/pins/{hash}/recover", x => Answering(x, RecoverAsync)),
        new("POST", "/pins/{namespace:ipfs|ipns|ipld}/{path*}", x => Answering(x, PinPathAsync)),
        new("DELETE", "/pins/{namespace:ipfs|ipns|ipld}/{path*}", x => Answering(x, UnpinPathAsync)),
    ];

    /// <summary>Turns errors of the services into error objects.</summary>
    internal static async ValueTask Answering(Exchange exchange, Func<Exchange, ValueTask> answer)
    {
        try
        {
            await answer(exchange).ConfigureAwait(false);
        }
        catch (RpcException error) when (!exchange.HasStarted && !exchange.Aborted.IsCancellationRequested)
        {
            await exchange.AnswerErrorAsync(RestErrors.StatusFor(error), RestErrors.MessageFor(error)).ConfigureAwait(false);
        }
    }

    /// <summary>Whether only the contacted peer is asked; nothing but the very word will do.</summary>
    internal static bool IsLocal(Exchange exchange) => exchange.Query.Get("local") == "true";

    private async ValueTask AllocationAsync(Exchange exchange)
    {
        if (!TryRead(exchange, out Cid cid, out _, out string error)) await exchange.AnswerErrorAsync(400, error).ConfigureAwait(false);
        else
        {
            CallResult result = await peer.CallAsync(new Call { Allocation = new() { Cid = cid.Message() } }, exchange.Aborted).ConfigureAwait(false);
            await AnswerStoredAsync(exchange, result.Pin).ConfigureAwait(false);
        }
    }

    private async ValueTask StatusAsync(Exchange exchange)
    {
        if (!TryRead(exchange, out Cid cid, out _, out string error)) await exchange.AnswerErrorAsync(400, error).ConfigureAwait(false);
        else
        {
            var call = new Call { Status = new() { Cid = cid.Message(), Local = IsLocal(exchange) } };
            CallResult result = await peer.CallAsync(call, exchange.Aborted).ConfigureAwait(false);
            await AnswerStatusAsync(exchange, result.Status).ConfigureAwait(false);
        }
    }

    private async ValueTask RecoverAsync(Exchange exchange)
    {
        if (!TryRead(exchange, out Cid cid, out _, out string error)) await exchange.AnswerErrorAsync(400, error).ConfigureAwait(false);
        else
        {
            var call = new Call { Recover = new() { Cid = cid.Message(), Local = IsLocal(exchange) } };
            CallResult result = await peer.CallAsync(call, exchange.Aborted).ConfigureAwait(false);
            await AnswerStatusAsync(exchange, result.Status).ConfigureAwait(false);
        }
    }

    private async ValueTask PinAsync(Exchange exchange)
    {
        if (!TryRead(exchange, out Cid cid, out Model.PinOptions options, out string error)) await exchange.AnswerErrorAsync(400, error).ConfigureAwait(false);
        else await PinAsync(exchange, cid, options).ConfigureAwait(false);
    }

    private async ValueTask UnpinAsync(Exchange exchange)
    {
        if (!TryRead(exchange, out Cid cid, out _, out string error)) await exchange.AnswerErrorAsync(400, error).ConfigureAwait(false);
        else await UnpinAsync(exchange, cid).ConfigureAwait(false);
    }

    private async ValueTask PinPathAsync(Exchange exchange)
    {
        if (!TryReadPath(exchange, out ContentPath path, out Model.PinOptions options, out string error))
        {
            await exchange.AnswerErrorAsync(400, error).ConfigureAwait(false);
            return;
        }

        if (path.Plain is { } cid)
        {
            await PinAsync(exchange, cid, options).ConfigureAwait(false);
            return;
        }

        var request = new PinPathRequest { Path = path.Text, Options = options.Message() };
        Contracts.V1.Pin pin = await peer.UnaryAsync("PinPath", o => peer.Cluster.PinPathAsync(request, o), PeerClient.CallDeadline, exchange.Aborted).ConfigureAwait(false);
        await AnswerSubmittedAsync(exchange, pin, options).ConfigureAwait(false);
    }

    private async ValueTask UnpinPathAsync(Exchange exchange)
    {
        if (!TryReadPath(exchange, out ContentPath path, out _, out string error))
        {
            await exchange.AnswerErrorAsync(400, error).ConfigureAwait(false);
            return;
        }

        if (path.Plain is { } cid)
        {
            await UnpinAsync(exchange, cid).ConfigureAwait(false);
            return;
        }

        var request = new UnpinPathRequest { Path = path.Text };
        Contracts.V1.Pin pin = await peer.UnaryAsync("UnpinPath", o => peer.Cluster.UnpinPathAsync(request, o), PeerClient.CallDeadline, exchange.Aborted).ConfigureAwait(false);
        await AnswerStoredAsync(exchange, pin).ConfigureAwait(false);
    }

    private async ValueTask PinAsync(Exchange exchange, Cid cid, Model.PinOptions options)
    {
        var call = new Call { Pin = new() { Cid = cid.Message(), Options = options.Message() } };
        CallResult result = await peer.CallAsync(call, exchange.Aborted).ConfigureAwait(false);
        await AnswerSubmittedAsync(exchange, result.Pin, options).ConfigureAwait(false);
    }

    private async ValueTask UnpinAsync(Exchange exchange, Cid cid)
    {
        CallResult result = await peer.CallAsync(new Call { Unpin = new() { Cid = cid.Message() } }, exchange.Aborted).ConfigureAwait(false);
        await AnswerStoredAsync(exchange, result.Pin).ConfigureAwait(false);
    }

    /// <summary>The CID in the path and the options, which are read on every route that names a CID: a bad one stops the request.</summary>
    private bool TryRead(Exchange exchange, out Cid cid, out Model.PinOptions options, out string error)
    {
        options = Model.PinOptions.Default;
        if (!Cid.TryParse(exchange.Parameters.First, out cid, out error))
        {
            error = $"error decoding Cid: {error}";
            return false;
        }

        return TryReadOptions(exchange, out options, out error);
    }

    private bool TryReadPath(Exchange exchange, out ContentPath path, out Model.PinOptions options, out string error)
    {
        options = Model.PinOptions.Default;
        if (!ContentPath.TryParse(exchange.Parameters.First!, exchange.Parameters.Second!, out path, out error))
        {
            error = $"error parsing path: {error}";
            return false;
        }

        return TryReadOptions(exchange, out options, out error);
    }

    private bool TryReadOptions(Exchange exchange, out Model.PinOptions options, out string error)
    {
        if (exchange.Target.Query.Length > 0) return PinOptionsQuery.TryParse(exchange.Query, GoTime.Now(peer.Time), out options, out error);
        options = Model.PinOptions.Default;
        error = "";
        return true;
    }

    private static ValueTask AnswerStoredAsync(Exchange exchange, Contracts.V1.Pin pin)
    {
        ByteBuffer buffer = exchange.Scratch;
        PinJson.WriteStored(buffer, pin);
        return exchange.AnswerJsonAsync(200, buffer);
    }

    private static ValueTask AnswerSubmittedAsync(Exchange exchange, Contracts.V1.Pin pin, Model.PinOptions options)
    {
        ByteBuffer buffer = exchange.Scratch;
        // An update takes everything from the pin that it follows, so the answer is like one read back.
        if (!pin.Options.PinUpdate.IsEmpty && pin.Options.PinUpdate != pin.Cid) PinJson.WriteStored(buffer, pin);
        else PinJson.WriteSubmitted(buffer, pin, options);
        return exchange.AnswerJsonAsync(200, buffer);
    }

    private static ValueTask AnswerStatusAsync(Exchange exchange, Contracts.V1.GlobalPinInfo status)
    {
        ByteBuffer buffer = exchange.Scratch;
        StatusJson.Write(buffer, status);
        return exchange.AnswerJsonAsync(200, buffer);
    }
}
