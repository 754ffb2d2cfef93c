using System.Runtime.InteropServices;

namespace Cluster.Storage.Native;

/// <summary>Options of a read, with the memory of the bounds that the engine points into.</summary>
internal sealed unsafe class ReadOptionsHandle : SafeHandle
{
    private byte* _lower;
    private byte* _upper;

    internal ReadOptionsHandle()
        : base(0, ownsHandle: true) => SetHandle(RocksDb.rocksdb_readoptions_create());

    public override bool IsInvalid => handle == 0;

    internal nint Native => handle;

    internal void SetLowerBound(ReadOnlySpan<byte> key)
    {
        _lower = Copy(key);
        RocksDb.rocksdb_readoptions_set_iterate_lower_bound(handle, _lower, (nuint)key.Length);
    }

    internal void SetUpperBound(ReadOnlySpan<byte> key)
    {
        _upper = Copy(key);
        RocksDb.rocksdb_readoptions_set_iterate_upper_bound(handle, _upper, (nuint)key.Length);
    }

    protected override bool ReleaseHandle()
    {
        RocksDb.rocksdb_readoptions_destroy(handle);
        NativeMemory.Free(_lower);
        NativeMemory.Free(_upper);
        return true;
    }

    private static byte* Copy(ReadOnlySpan<byte> key)
    {
        var memory = (byte*)NativeMemory.Alloc((nuint)Math.Max(1, key.Length));
        key.CopyTo(new Span<byte>(memory, key.Length));
        return memory;
    }
}
