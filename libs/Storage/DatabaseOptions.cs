namespace Cluster.Storage;

/// <summary>How blocks are compressed on disk. All of them are in the engine as Debian builds it.</summary>
public enum Compression
{
    /// <summary>As they are.</summary>
    None = 0,

    /// <summary>Snappy.</summary>
    Snappy = 1,

    /// <summary>LZ4: the usual choice, costs little.</summary>
    Lz4 = 4,

    /// <summary>Zstandard: smaller, slower.</summary>
    Zstd = 7,
}

/// <summary>The format of what a program keeps in a database; stored with it and checked at every open.</summary>
/// <param name="Name">What it holds, e.g. "pinset".</param>
/// <param name="Version">Grows with every change that an older program cannot read.</param>
public sealed record FormatVersion(string Name, int Version);

/// <summary>
/// Settings of a database. The defaults keep a peer small: about 16 MiB of memory while it is written to, half of that idle.
/// </summary>
public sealed record DatabaseOptions
{
    /// <summary>What the database holds. Required: every format carries a version.</summary>
    public required FormatVersion Format { get; init; }

    /// <summary>Make a new database when there is none; otherwise that is <see cref="StorageErrorKind.NotFound"/>.</summary>
    public bool CreateIfMissing { get; init; } = true;

    /// <summary>Open without the right to write (and without the lock).</summary>
    public bool ReadOnly { get; init; }

    /// <summary>Bytes gathered in memory before they become a file; 64 KiB at least.</summary>
    public long WriteBufferBytes { get; init; } = 8 << 20;

    /// <summary>Write buffers at most: one is filled while others are written out.</summary>
    public int MaxWriteBuffers { get; init; } = 2;

    /// <summary>Bytes of uncompressed blocks kept for reads.</summary>
    public long BlockCacheBytes { get; init; } = 8 << 20;

    /// <summary>Bytes of a block: what is read and decompressed at once.</summary>
    public int BlockBytes { get; init; } = 8 << 10;

    /// <summary>Bits a key of the filters that spare lookups of absent keys; 0 for none.</summary>
    public double BloomBitsPerKey { get; init; } = 10;

    /// <summary>Compression of the blocks.</summary>
    public Compression Compression { get; init; } = Compression.Lz4;

    /// <summary>Files held open at most.</summary>
    public int MaxOpenFiles { get; init; } = 256;

    /// <summary>Threads that flush and compact.</summary>
    public int BackgroundJobs { get; init; } = 2;

    /// <summary>Bytes of write-ahead log that a start has to read again at most.</summary>
    public long MaxWalBytes { get; init; } = 32 << 20;
}
