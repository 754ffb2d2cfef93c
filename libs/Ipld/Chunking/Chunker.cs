namespace Ipld;

/// <summary>Cuts a stream into the pieces that become the leaves of a file's DAG.</summary>
/// <remarks>
/// Where the cuts fall depends on the content only, never on how the stream hands it out. Memory: one piece, at most
/// <see cref="MaxChunkSize"/>, and a read buffer.
/// </remarks>
public abstract class Chunker : IDisposable
{
    /// <summary>Default piece in bytes (spec/rest-api.md 9.1).</summary>
    public const int DefaultChunkSize = 256 * 1024;

    /// <summary>Largest block of IPFS in bytes.</summary>
    public const int MaxBlockSize = 2 * 1024 * 1024;

    /// <summary>Largest piece in bytes: a block less the room for its framing.</summary>
    public const int MaxChunkSize = MaxBlockSize - 256;

    /// <summary>The current piece; valid until the next call of <see cref="MoveNextAsync"/> and until disposal.</summary>
    public ReadOnlyMemory<byte> Current { get; protected set; }

    /// <summary>Reads on to the next piece; false at the end.</summary>
    /// <exception cref="ImportException">A piece became larger than a block may be.</exception>
    public abstract ValueTask<bool> MoveNextAsync(CancellationToken cancellationToken);

    /// <summary>Makes the chunker that a request names: <c>size-N</c>, <c>rabin…</c>, <c>buzhash</c>, <c>default</c>.</summary>
    /// <param name="specification">As in spec/rest-api.md 9.1; empty = default.</param>
    /// <param name="source">Read to its end, not closed.</param>
    /// <exception cref="ImportException">The specification is wrong; the message is the original's.</exception>
    public static Chunker Create(string specification, Stream source) => ChunkerSpecification.Parse(specification)(source);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Returns buffers.</summary>
    protected abstract void Dispose(bool disposing);

    /// <summary>Reads until the buffer is full or the stream ends; returns how much was read.</summary>
    protected static async ValueTask<int> FillAsync(Stream source, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var filled = 0;
        while (filled < buffer.Length)
        {
            var read = await source.ReadAsync(buffer[filled..], cancellationToken).ConfigureAwait(false);
            if (read == 0)
            {
                break;
            }

            filled += read;
        }

        return filled;
    }
}

/// <summary>An import that cannot go on; the message is the original's text for the trailer or the answer.</summary>
public sealed class ImportException : Exception
{
    /// <summary>With the message.</summary>
    public ImportException(string message)
        : base(message)
    {
    }

    /// <summary>Without a message.</summary>
    public ImportException()
    {
    }

    /// <summary>With an inner cause.</summary>
    public ImportException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
