using System.Globalization;
using Cluster.Contracts.V1;
using Google.Protobuf;
using Grpc.Core;
using Ipld;
using KuboRpc;
using Libp2p;
using DaemonPin = Cluster.Contracts.V1.DaemonPin;

namespace Cluster.Connector.Serving;

/// <summary>Messages of the contract to and from what the client takes. Bad ones are INVALID_ARGUMENT.</summary>
internal static class Messages
{
    /// <exception cref="RpcException">The bytes are no CID.</exception>
    public static Cid Cid(ByteString bytes) =>
        Ipld.Cid.TryFromBytes(bytes.Span, out var cid, out var why) ? cid : throw Failures.BadArgument($"not a CID: {why}");

    /// <exception cref="RpcException">A CID or an address is none, or the depth is below -1.</exception>
    public static DaemonPinRequest Pin(ConnectorPinRequest request) => new()
    {
        Cid = Cid(request.Cid),
        MaxDepth = request.MaxDepth >= -1
            ? request.MaxDepth
            : throw Failures.BadArgument(string.Create(CultureInfo.InvariantCulture, $"max_depth {request.MaxDepth} is below -1")),
        Origins = [.. request.Origins.Select(Address)],
        UpdateFrom = request.PinUpdate.IsEmpty ? null : Cid(request.PinUpdate),
    };

    public static IpfsId Id(DaemonId id)
    {
        var message = new IpfsId { Id = id.Id.ToString() };
        message.Addresses.Add(id.Addresses);
        return message;
    }

    public static DaemonHealth Health(Running.DaemonState state) => new()
    {
        Up = state.Up,
        Error = state.Error,
        Id = state.Id is { } id ? Id(id) : null,
    };

    /// <exception cref="RpcException">UNKNOWN: the daemon uses a pin type that this program does not know.</exception>
    public static DaemonPin PinKind(DaemonPinKind kind) => kind switch
    {
        DaemonPinKind.Unpinned => DaemonPin.Unpinned,
        DaemonPinKind.Recursive => DaemonPin.Recursive,
        DaemonPinKind.Direct => DaemonPin.Direct,
        DaemonPinKind.Indirect => DaemonPin.Indirect,
        _ => throw new RpcException(new Status(StatusCode.Unknown, "the daemon names a pin type that this program does not know")),
    };

    public static PinProgress Progress(DaemonPinProgress progress) =>
        new() { Nodes = (ulong)Math.Max(0, progress.Nodes), Bytes = (ulong)Math.Max(0, progress.Bytes) };

    private static string Address(ByteString bytes) =>
        Multiaddr.TryFromBytes(bytes.Span, out var address, out var why) ? address.ToString() : throw Failures.BadArgument($"not a multiaddress: {why}");
}
