using System.Buffers;
using System.IO.Pipelines;
using Cluster.PeerRpc.Msgpack;
using Libp2p;

namespace Cluster.PeerRpc.Streams;

/// <summary>Answers the calls of other peers (peer-rpc §1): one call a stream; look-up, then permission, then the argument.</summary>
public sealed class RpcServer
{
    private readonly Dictionary<ServiceId, RpcMethod> methods;
    private readonly HashSet<string> services;
    private readonly Func<PeerId, bool> trusts;
    private readonly CallLimits limits;

    /// <param name="methods">All methods, closed ones too.</param>
    /// <param name="trusts">Whether a caller may use the trusted ones.</param>
    /// <param name="limits">Times that a call's parts may take; the usual ones if none are given.</param>
    public RpcServer(IEnumerable<RpcMethod> methods, Func<PeerId, bool> trusts, CallLimits? limits = null)
    {
        this.methods = methods.ToDictionary(method => method.Id);
        services = [.. this.methods.Keys.Select(id => id.Name)];
        this.trusts = trusts;
        this.limits = limits ?? new CallLimits();
    }

    /// <summary>Serves one stream to its end and ends our side of it. A reset of the caller cancels the method.</summary>
    /// <param name="caller">Who opened the stream, authenticated by the connection.</param>
    /// <param name="stream">Completing its output is FIN; completing it with an exception, reset.</param>
    /// <param name="cancellation">Ends the call; the caller sees a reset.</param>
    public Task ServeAsync(PeerId caller, IDuplexPipe stream, CancellationToken cancellation) => ServeAsync(caller, stream, null, cancellation);

    /// <summary>Serves one stream, or refuses it with an answer that says why.</summary>
    /// <param name="caller">Who opened the stream.</param>
    /// <param name="stream">The stream.</param>
    /// <param name="refusal">Why no method is run; null to run it.</param>
    /// <param name="cancellation">Ends the call; the caller sees a reset.</param>
    public async Task ServeAsync(PeerId caller, IDuplexPipe stream, string? refusal, CancellationToken cancellation)
    {
        var values = new ValueStream(stream);
        try
        {
            await AnswerAsync(caller, values, refusal, cancellation).ConfigureAwait(false);
            await FlushAsync(values, limits, cancellation).ConfigureAwait(false);
            await stream.Output.CompleteAsync().ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            await stream.Output.CompleteAsync(failure).ConfigureAwait(false);
            if (failure is not OperationCanceledException and not IOException) throw;
        }
        finally
        {
            await stream.Input.CompleteAsync().ConfigureAwait(false);
            values.Arrived.Release();
        }
    }

    internal static void WriteHeader(ValueStream values, ServiceId id) => new ResponseHeader(id, "", CallErrorKind.Application).Write(values.Writer);

    internal static void WriteError(ValueStream values, ServiceId id, string error, CallErrorKind kind, Action<MsgpackWriter>? zero)
    {
        new ResponseHeader(id, error, kind).Write(values.Writer);
        if (zero is null) values.Writer.Nil();
        else zero(values.Writer);
    }

    /// <summary>The header before each reply of a method that does not fail.</summary>
    internal static byte[] GoodHeader(ServiceId id)
    {
        var header = new ArrayBufferWriter<byte>();
        new ResponseHeader(id, "", CallErrorKind.Application).Write(new MsgpackWriter(header));
        return header.WrittenSpan.ToArray();
    }

    /// <summary>Reads a part of the request, which must be there soon and be small.</summary>
    internal static async ValueTask<(bool Has, T Value)> ReadRequestAsync<T>(
        ValueStream values, Decode<T> decode, CallLimits limits, CancellationToken cancellation)
    {
        using var late = new CancellationTokenSource(limits.Request, limits.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellation);
        try
        {
            return await values.TryReadAsync(decode, either.Token, ValueStream.MaxRequest).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new IOException($"the request was not there within {limits.Request.TotalSeconds:0} s");
        }
    }

    /// <summary>Sends what is collected; a caller that takes nothing for too long has failed.</summary>
    internal static async ValueTask FlushAsync(ValueStream values, CallLimits limits, CancellationToken cancellation)
    {
        if (!values.HasPending) return;
        using var stalled = new CancellationTokenSource(limits.Stall, limits.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stalled.Token, cancellation);
        try
        {
            await values.FlushAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new IOException($"the caller read nothing for {limits.Stall.TotalSeconds:0} s");
        }
    }

    private async Task AnswerAsync(PeerId caller, ValueStream values, string? refusal, CancellationToken cancellation)
    {
        ServiceId id;
        try
        {
            (var has, id) = await ReadRequestAsync(values, ServiceId.Read, limits, cancellation).ConfigureAwait(false);
            if (!has) throw new MsgpackException("EOF");
        }
        catch (MsgpackException unreadable)
        {
            WriteError(values, default, "error reading service ID: " + unreadable.Message, CallErrorKind.Server, null);
            return;
        }
        if (!services.Contains(id.Name))
        {
            WriteError(values, id, "rpc: can't find service " + id.Name, CallErrorKind.Server, null);
        }
        else if (!methods.TryGetValue(id, out var method))
        {
            WriteError(values, id, "rpc: can't find method " + id.Method, CallErrorKind.Server, null);
        }
        else if (method.Policy == RpcPolicy.Closed || (method.Policy == RpcPolicy.Trusted && !trusts(caller)))
        {
            WriteError(values, id, $"client does not have permissions to call {id}", CallErrorKind.Authorization, null);
        }
        else if (refusal is not null)
        {
            WriteError(values, id, refusal, CallErrorKind.Application, null);
        }
        else
        {
            await method.ServeAsync(caller, values, limits, cancellation).ConfigureAwait(false);
        }
    }
}
