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

    /// <param name="methods">All methods, closed ones too.</param>
    /// <param name="trusts">Whether a caller may use the trusted ones.</param>
    public RpcServer(IEnumerable<RpcMethod> methods, Func<PeerId, bool> trusts)
    {
        this.methods = methods.ToDictionary(method => method.Id);
        services = [.. this.methods.Keys.Select(id => id.Name)];
        this.trusts = trusts;
    }

    /// <summary>Serves one stream to its end and ends our side of it. A reset of the caller cancels the method.</summary>
    /// <param name="caller">Who opened the stream, authenticated by the connection.</param>
    /// <param name="stream">Completing its output is FIN; completing it with an exception, reset.</param>
    /// <param name="cancellation">Ends the call; the caller sees a reset.</param>
    public async Task ServeAsync(PeerId caller, IDuplexPipe stream, CancellationToken cancellation)
    {
        var values = new ValueStream(stream);
        try
        {
            await AnswerAsync(caller, values, cancellation).ConfigureAwait(false);
            await values.FlushAsync(cancellation).ConfigureAwait(false);
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
        }
    }

    internal static void WriteHeader(ValueStream values, ServiceId id) => new ResponseHeader(id, "", CallErrorKind.Application).Write(values.Writer);

    internal static void WriteError(ValueStream values, ServiceId id, string error, CallErrorKind kind, Action<MsgpackWriter>? zero)
    {
        new ResponseHeader(id, error, kind).Write(values.Writer);
        if (zero is null) values.Writer.Nil();
        else zero(values.Writer);
    }

    private async Task AnswerAsync(PeerId caller, ValueStream values, CancellationToken cancellation)
    {
        ServiceId id;
        try
        {
            (var has, id) = await values.TryReadAsync(ServiceId.Read, cancellation).ConfigureAwait(false);
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
        else
        {
            await method.ServeAsync(caller, values, cancellation).ConfigureAwait(false);
        }
    }
}
