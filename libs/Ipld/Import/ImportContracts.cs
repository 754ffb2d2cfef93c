namespace Ipld;

/// <summary>A block on its way to storage.</summary>
/// <param name="Cid">The CID of the data.</param>
/// <param name="Data">The block; see <see cref="IBlockSink.WriteAsync"/> for how long it lives.</param>
/// <param name="CumulativeSize">Bytes of the block and everything below it.</param>
public readonly record struct IpldBlock(Cid Cid, ReadOnlyMemory<byte> Data, ulong CumulativeSize);

/// <summary>Where blocks go.</summary>
public interface IBlockSink
{
    /// <summary>
    /// Takes one block. The data may be reused as soon as the returned task completes: a sink that keeps it copies it.
    /// Not completing the task is the back-pressure: no more than one block waits.
    /// </summary>
    ValueTask WriteAsync(IpldBlock block, CancellationToken cancellationToken);
}

/// <summary>One output object of <c>/add</c> (spec/rest-api.md 9.5), allocations apart.</summary>
/// <param name="Name">Path below and including the top-level name; of a progress object the path inside the entry.</param>
/// <param name="Cid">Undefined in progress objects.</param>
/// <param name="Bytes">Bytes read so far (progress) or bytes of all blocks (CAR); 0 = not given.</param>
/// <param name="Size">Cumulative size of the DAG; 0 = not given.</param>
public readonly record struct ImportOutput(string Name, Cid Cid, ulong Bytes, ulong Size);

/// <summary>Where output objects go, in the original's order.</summary>
public interface IImportOutput
{
    /// <summary>Takes one object.</summary>
    ValueTask WriteAsync(ImportOutput output, CancellationToken cancellationToken);
}

/// <summary>What a part of the upload is.</summary>
public enum ImportPartKind
{
    /// <summary>Content.</summary>
    File,
    /// <summary>A directory; its content is ignored.</summary>
    Directory,
    /// <summary>A symbolic link; the content is its target.</summary>
    Symlink,
}

/// <summary>One part of the upload, in the order of arrival.</summary>
/// <param name="Path">Absolute and clean, as <see cref="ImportPath.FromFileName"/> gives it.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Content">Valid until the next part is asked for; what was not read by then is to be passed over by the source.</param>
/// <param name="AbsolutePath">Where the client says the file lies, for nocopy only.</param>
public sealed record ImportPart(string Path, ImportPartKind Kind, Stream Content, string? AbsolutePath = null);

/// <summary>The parameters of an import (spec/rest-api.md 9.1).</summary>
public sealed record ImportOptions
{
    /// <summary>The trickle layout instead of the balanced one.</summary>
    public bool Trickle { get; init; }

    /// <summary>As in spec/rest-api.md 9.1; empty = <c>size-262144</c>. Checked when the first file comes.</summary>
    public string Chunker { get; init; } = "";

    /// <summary>Leaves are raw blocks.</summary>
    public bool RawLeaves { get; init; }

    /// <summary>0 or 1. Others are refused when the import starts.</summary>
    public int CidVersion { get; init; }

    /// <summary>Multihash name in any case; empty = sha2-256. Unknown ones are refused when the import starts.</summary>
    public string HashFunction { get; init; } = "";

    /// <summary>All top-level entries go into an unnamed directory.</summary>
    public bool WrapWithDirectory { get; init; }

    /// <summary>Progress objects each 256 KiB and at each file's end.</summary>
    public bool Progress { get; init; }

    /// <summary>Every file must come with the path where the client has it.</summary>
    public bool NoCopy { get; init; }

    /// <summary>The upload is one CAR file.</summary>
    public bool Car { get; init; }
}
