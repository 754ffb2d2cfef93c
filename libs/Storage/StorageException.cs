namespace Cluster.Storage;

/// <summary>What went wrong in a database, in kinds a caller can act upon.</summary>
public enum StorageErrorKind
{
    /// <summary>Anything the engine reports that has no kind of its own.</summary>
    Other,

    /// <summary>The files are damaged: checksums differ, or a file that is referred to is missing.</summary>
    Corruption,

    /// <summary>Another process (or another part of this one) has the database open.</summary>
    LockHeld,

    /// <summary>The database, or a file that it needs, does not exist.</summary>
    NotFound,

    /// <summary>The operating system refused to read or write.</summary>
    IOError,

    /// <summary>The device is full.</summary>
    NoSpace,

    /// <summary>The engine refuses an option or an argument.</summary>
    InvalidArgument,

    /// <summary>Written by a program with another format, or something else altogether.</summary>
    UnknownFormat,

    /// <summary>The native engine cannot be loaded on this machine.</summary>
    EngineMissing,
}

/// <summary>A failure of the database; the message says what to do where that is known.</summary>
public sealed class StorageException : Exception
{
    /// <summary>An error of kind <see cref="StorageErrorKind.Other"/>.</summary>
    public StorageException()
        : this(StorageErrorKind.Other, "storage failure")
    {
    }

    /// <summary>An error of kind <see cref="StorageErrorKind.Other"/>.</summary>
    public StorageException(string message)
        : this(StorageErrorKind.Other, message)
    {
    }

    /// <summary>An error of kind <see cref="StorageErrorKind.Other"/> with its cause.</summary>
    public StorageException(string message, Exception innerException)
        : this(StorageErrorKind.Other, message, innerException)
    {
    }

    /// <summary>An error of a given kind.</summary>
    public StorageException(StorageErrorKind kind, string message, Exception? innerException = null)
        : base(message, innerException) => Kind = kind;

    /// <summary>What went wrong.</summary>
    public StorageErrorKind Kind { get; }

    /// <summary>Turns a status text of the engine ("Corruption: ...") into a typed error.</summary>
    internal static StorageException FromEngine(string status, string? path = null)
    {
        var kind = KindOf(status);
        var where = path is null ? "" : $" ({path})";
        var message = kind switch
        {
            StorageErrorKind.LockHeld =>
                $"the database{where} is in use by another process; stop it first: {status}",
            StorageErrorKind.Corruption =>
                $"the database{where} is damaged; restore the folder from a copy, or move it away and import an export: {status}",
            StorageErrorKind.NoSpace => $"no space left for the database{where}: {status}",
            _ => $"{status}{where}",
        };
        return new StorageException(kind, message);
    }

    private static StorageErrorKind KindOf(string status)
    {
        if (status.Contains("While lock file", StringComparison.Ordinal)
            || status.Contains("lock hold by current process", StringComparison.Ordinal))
            return StorageErrorKind.LockHeld;
        if (status.Contains("No space left", StringComparison.Ordinal))
            return StorageErrorKind.NoSpace;
        if (status.StartsWith("Corruption", StringComparison.Ordinal))
            return StorageErrorKind.Corruption;
        if (status.StartsWith("NotFound", StringComparison.Ordinal)
            || status.Contains("does not exist (create_if_missing is false)", StringComparison.Ordinal))
            return StorageErrorKind.NotFound;
        if (status.StartsWith("IO error", StringComparison.Ordinal))
            return StorageErrorKind.IOError;
        return status.StartsWith("Invalid argument", StringComparison.Ordinal)
            ? StorageErrorKind.InvalidArgument
            : StorageErrorKind.Other;
    }
}
