using Cluster.PinState;
using Grpc.Core;

namespace Cluster.Consensus.Services;

/// <summary>Streams records of a snapshot in messages of <c>repeated Pin pins = 1</c>.</summary>
internal static class RecordLists
{
    /// <summary>Bytes of a message: hundreds of pins, so that a hop costs per batch.</summary>
    internal const int MessageBytes = 64 << 10;

    /// <summary>The first message is small, so that the first line of a list is out at once.</summary>
    private const int FirstMessageBytes = 4 << 10;

    internal static async Task WriteAsync(
        StateSnapshot snapshot,
        PinFilter filter,
        Action<RawMessage, StateSnapshot> finish,
        IServerStreamWriter<RawMessage> responses,
        CancellationToken cancellationToken)
    {
        using var cursor = snapshot.List(filter);
        using var message = new RawMessage(MessageBytes + 4096);
        var size = FirstMessageBytes;
        while (Fill(cursor, message, size))
        {
            finish(message, snapshot);
            await responses.WriteAsync(message, cancellationToken);
            message.Clear();
            size = MessageBytes;
        }
    }

    private static bool Fill(PinCursor cursor, RawMessage message, int size)
    {
        while (message.Length < size && cursor.MoveNext())
            message.Field(1, cursor.Record);
        return message.Length > 0;
    }
}
