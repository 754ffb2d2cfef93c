using System.Buffers;
using Cluster.Model;

namespace Cluster.PinState.Transfer;

/// <summary>
/// Writes the pinset as <c>state export</c> does: one JSON pin a line, a consistent snapshot, ordered by the bytes of the CID.
/// </summary>
public sealed class StateExport : IDisposable
{
    private readonly StateSnapshot _snapshot;
    private readonly PinCursor _cursor;

    /// <summary>Begins at the present state.</summary>
    public StateExport(PinStore store)
    {
        _snapshot = store.CreateSnapshot();
        _cursor = _snapshot.List();
    }

    /// <summary>Pins written so far.</summary>
    public long Count { get; private set; }

    /// <summary>Writes lines until about so many bytes are written; false when nothing is left.</summary>
    public bool WriteSome(ArrayBufferWriter<byte> output, int aboutBytes)
    {
        var any = false;
        while (output.WrittenCount < aboutBytes && _cursor.MoveNext())
        {
            any = true;
            ModelJson.Write(output, _cursor.Current);
            output.Write("\n"u8);
            Count++;
        }

        return any;
    }

    /// <summary>Writes everything to a stream.</summary>
    public static async Task RunAsync(PinStore store, Stream output, CancellationToken cancellationToken)
    {
        using var export = new StateExport(store);
        var buffer = new ArrayBufferWriter<byte>(128 << 10);
        while (export.WriteSome(buffer, 64 << 10))
        {
            await output.WriteAsync(buffer.WrittenMemory, cancellationToken);
            buffer.ResetWrittenCount();
        }

        await output.FlushAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _cursor.Dispose();
        _snapshot.Dispose();
    }
}
