using Cluster.PeerRpc.Msgpack;
using Libp2p;

namespace Cluster.PeerRpc.Streams;

/// <summary>Who may call a method (peer-rpc §4).</summary>
public enum RpcPolicy
{
    /// <summary>Any peer that holds the secret.</summary>
    Open,

    /// <summary>Peers that this one trusts.</summary>
    Trusted,

    /// <summary>The peer itself only: known by name, refused to everyone.</summary>
    Closed,
}

/// <summary>One method of the table that a peer serves.</summary>
public abstract class RpcMethod(ServiceId id, RpcPolicy policy)
{
    /// <summary>What callers name it.</summary>
    public ServiceId Id { get; } = id;

    /// <summary>Who may call it.</summary>
    public RpcPolicy Policy { get; } = policy;

    internal abstract Task ServeAsync(PeerId caller, ValueStream values, CallLimits limits, CancellationToken cancellation);
}

/// <summary>A method that exists, but not for others.</summary>
public sealed class ClosedMethod(ServiceId id) : RpcMethod(id, RpcPolicy.Closed)
{
    internal override Task ServeAsync(PeerId caller, ValueStream values, CallLimits limits, CancellationToken cancellation) =>
        throw new InvalidOperationException("closed methods are refused before they are served");
}

/// <summary>One argument, one reply.</summary>
/// <param name="id">What callers name it.</param>
/// <param name="policy">Who may call it.</param>
/// <param name="decode">Reads the argument.</param>
/// <param name="write">Writes the reply.</param>
/// <param name="zero">The reply's zero value, which stands behind the error of a failed method (peer-rpc §1).</param>
/// <param name="run">The method; what it throws becomes the error's text. Its token ends with the deadline, or when the caller goes.</param>
/// <param name="deadline">Longest time it takes; null for no end.</param>
public sealed class UnaryMethod<TArgument, TReply>(
    ServiceId id, RpcPolicy policy, Decode<TArgument> decode, Action<MsgpackWriter, TReply> write, Action<MsgpackWriter> zero,
    Func<PeerId, TArgument, CancellationToken, ValueTask<TReply>> run, TimeSpan? deadline = null) : RpcMethod(id, policy)
{
    internal override async Task ServeAsync(PeerId caller, ValueStream values, CallLimits limits, CancellationToken cancellation)
    {
        TArgument argument;
        try
        {
            (var has, argument) = await RpcServer.ReadRequestAsync(values, decode, limits, cancellation).ConfigureAwait(false);
            if (!has)
            {
                RpcServer.WriteError(values, Id, "EOF", CallErrorKind.Application, null);
                return;
            }
        }
        catch (MsgpackException undecodable)
        {
            RpcServer.WriteError(values, Id, undecodable.Message, CallErrorKind.Server, null);
            return;
        }
        using var call = new CallLife(deadline, limits.Time, cancellation);
        try
        {
            var running = run(caller, argument, call.Token);
            // A FIN of the caller ends the method, as its reset does (peer-rpc §1).
            var reply = running.IsCompleted ? await running.ConfigureAwait(false) : await WatchedAsync(values, running, call).ConfigureAwait(false);
            RpcServer.WriteHeader(values, Id);
            write(values.Writer, reply);
        }
        catch (OperationCanceledException) when (call.Token.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            RpcServer.WriteError(values, Id, call.EndText, CallErrorKind.Application, zero);
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !cancellation.IsCancellationRequested)
        {
            RpcServer.WriteError(values, Id, failure.Message, CallErrorKind.Application, zero);
        }
    }

    private static async Task<TReply> WatchedAsync(ValueStream values, ValueTask<TReply> running, CallLife call)
    {
        var watching = values.WatchAsync(_ => call.CallerGone());
        try
        {
            return await running.ConfigureAwait(false);
        }
        finally
        {
            values.EndWatch();
            await watching.ConfigureAwait(false);
        }
    }
}

/// <summary>A stream of arguments, a stream of replies.</summary>
/// <param name="id">What callers name it.</param>
/// <param name="policy">Who may call it.</param>
/// <param name="decode">Reads an argument.</param>
/// <param name="write">Writes a reply.</param>
/// <param name="run">The method; what it throws becomes the error that ends the stream.</param>
public sealed class StreamingMethod<TArgument, TReply>(
    ServiceId id, RpcPolicy policy, Decode<TArgument> decode, Action<MsgpackWriter, TReply> write,
    Func<PeerId, IAsyncEnumerable<TArgument>, CancellationToken, IAsyncEnumerable<TReply>> run) : RpcMethod(id, policy)
{
    internal override async Task ServeAsync(PeerId caller, ValueStream values, CallLimits limits, CancellationToken cancellation)
    {
        try
        {
            await foreach (var reply in run(caller, Arguments(values, cancellation), cancellation).WithCancellation(cancellation).ConfigureAwait(false))
            {
                RpcServer.WriteHeader(values, Id);
                write(values.Writer, reply);
                await RpcServer.FlushAsync(values, limits, cancellation).ConfigureAwait(false);
            }
        }
        catch (Exception failure) when (failure is not OperationCanceledException and not IOException && !cancellation.IsCancellationRequested)
        {
            RpcServer.WriteError(values, Id, failure.Message, CallErrorKind.Application, null);
        }
    }

    private async IAsyncEnumerable<TArgument> Arguments(
        ValueStream values, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        while (true)
        {
            var (has, argument) = await values.TryReadAsync(decode, cancellation).ConfigureAwait(false);
            if (!has) yield break;
            yield return argument;
        }
    }
}
