using Google.Protobuf;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Clients;

/// <summary>
/// A page of a tracker's listing as it came over the wire (<c>TrackerStatusAllResponse</c>, items without the peer). Who only passes
/// it on does not decode it.
/// </summary>
/// <param name="Message">The message.</param>
public readonly record struct StatusPage(ReadOnlyMemory<byte> Message)
{
    /// <summary>A page made here.</summary>
    public static StatusPage From(V1.TrackerStatusAllResponse message) => new(message.ToByteArray());

    /// <summary>The page as a message.</summary>
    public V1.TrackerStatusAllResponse Decode() => V1.TrackerStatusAllResponse.Parser.ParseFrom(Message.Span);
}
