using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using ServiceDescriptor = Google.Protobuf.Reflection.ServiceDescriptor;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Services;

/// <summary>Binds the state service: as generated, but the lists in wire form.</summary>
public static class StateBinding
{
    /// <summary>The contract; reflection looks for it here.</summary>
    public static ServiceDescriptor Descriptor => V1.State.Descriptor;

    /// <summary>Called by the server, which finds the handlers by the methods' names.</summary>
    public static void BindService(ServiceBinderBase binder, StateService? service)
    {
        V1.State.BindService(new WithoutBinder(binder, nameof(V1.State.StateBase.List), nameof(V1.State.StateBase.Watch)), null);
        binder.AddRaw<V1.StateListRequest>(Descriptor, nameof(V1.State.StateBase.List), service is null ? null : service.List);
        binder.AddRaw<V1.StateWatchRequest>(Descriptor, nameof(V1.State.StateBase.Watch), service is null ? null : service.Watch);
    }
}

/// <summary>Binds the cluster service: as generated, but the lists in wire form.</summary>
public static class ClusterBinding
{
    /// <summary>The contract; reflection looks for it here.</summary>
    public static ServiceDescriptor Descriptor => V1.Cluster.Descriptor;

    /// <summary>Called by the server.</summary>
    public static void BindService(ServiceBinderBase binder, ClusterService? service)
    {
        V1.Cluster.BindService(
            new WithoutBinder(
                binder, nameof(V1.Cluster.ClusterBase.Allocations), nameof(V1.Cluster.ClusterBase.StatusAll), nameof(V1.Cluster.ClusterBase.RecoverAll)),
            null);
        binder.AddRaw<V1.AllocationsRequest>(
            Descriptor, nameof(V1.Cluster.ClusterBase.Allocations), service is null ? null : service.Allocations);
        binder.AddRaw<V1.StatusAllRequest>(Descriptor, nameof(V1.Cluster.ClusterBase.StatusAll), service is null ? null : service.StatusAll);
        binder.AddRaw<V1.RecoverAllRequest>(Descriptor, nameof(V1.Cluster.ClusterBase.RecoverAll), service is null ? null : service.RecoverAll);
    }
}

/// <summary>Adds methods whose answers are raw messages.</summary>
internal static class RawMethods
{
    internal static void AddRaw<TRequest>(
        this ServiceBinderBase binder, ServiceDescriptor service, string name, ServerStreamingServerMethod<TRequest, RawMessage>? handler)
        where TRequest : class, IMessage<TRequest>, new()
    {
        var parser = new MessageParser<TRequest>(static () => new TRequest());
        var requests = Marshallers.Create<TRequest>(
            static (_, _) => throw new NotSupportedException("requests are only received"),
            context => parser.ParseFrom(context.PayloadAsReadOnlySequence()));
        binder.AddMethod(
            new Method<TRequest, RawMessage>(
                MethodType.ServerStreaming, service.FullName, name,
                requests, RawMessage.Marshaller),
            handler);
    }
}

/// <summary>Passes on all methods but some, which are bound otherwise.</summary>
internal sealed class WithoutBinder(ServiceBinderBase inner, params string[] without) : ServiceBinderBase
{
    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler)
        where TRequest : class
        where TResponse : class
    {
        if (!without.Contains(method.Name))
            inner.AddMethod(method, handler);
    }

    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler)
        where TRequest : class
        where TResponse : class
    {
        if (!without.Contains(method.Name))
            inner.AddMethod(method, handler);
    }

    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler)
        where TRequest : class
        where TResponse : class
    {
        if (!without.Contains(method.Name))
            inner.AddMethod(method, handler);
    }

    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler)
        where TRequest : class
        where TResponse : class
    {
        if (!without.Contains(method.Name))
            inner.AddMethod(method, handler);
    }
}
