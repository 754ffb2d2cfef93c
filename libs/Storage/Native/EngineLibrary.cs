using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Cluster.Storage.Native;

/// <summary>Finds librocksdb: beside the program first (self-contained folders), then where the system keeps it.</summary>
internal static class EngineLibrary
{
    internal const string Name = "rocksdb";

    // The C API of 7.8 and later is a superset of what is used here; the plain name is that of development packages.
    private static readonly string[] Names =
        ["librocksdb.so.7.8", "librocksdb.so", "librocksdb.so.8.9", "librocksdb.so.9.10", "librocksdb.dylib", "rocksdb.dll"];

    private static readonly Lazy<nint> Loaded = new(Load);

#pragma warning disable CA2255 // the resolver must be in place before the first native call, whoever makes it
    [ModuleInitializer]
    internal static void Register() => NativeLibrary.SetDllImportResolver(typeof(EngineLibrary).Assembly, Resolve);
#pragma warning restore CA2255

    /// <summary>Throws a typed error when the engine is missing.</summary>
    internal static void Ensure()
    {
        if (Loaded.Value == 0)
            throw new StorageException(
                StorageErrorKind.EngineMissing,
                "librocksdb cannot be loaded; install it (Debian: apt-get install librocksdb7.8) or put librocksdb.so.7.8 beside the program");
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) => name == Name ? Loaded.Value : 0;

    private static nint Load()
    {
        foreach (var name in Names)
        {
            if (NativeLibrary.TryLoad(Path.Combine(AppContext.BaseDirectory, name), out var beside))
                return beside;
        }

        foreach (var name in Names)
        {
            if (NativeLibrary.TryLoad(name, out var system))
                return system;
        }

        return 0;
    }
}
