using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Cluster.Storage.Native;

/// <summary>
/// The part of the C API (rocksdb/c.h, 7.8) that is used. Calls that only copy memory skip the GC transition; whatever may touch a
/// file or take a lock does not.
/// </summary>
internal static unsafe partial class RocksDb
{
    private const string Lib = EngineLibrary.Name;

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint rocksdb_open(nint options, string name, out nint error);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint rocksdb_open_for_read_only(nint options, string name, byte errorIfWalFileExists, out nint error);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_close(nint db);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_cancel_all_background_work(nint db, byte wait);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial void rocksdb_destroy_db(nint options, string name, out nint error);

    [LibraryImport(Lib)]
    internal static partial nint rocksdb_get_pinned(nint db, nint options, byte* key, nuint keyLength, out nint error);

    [LibraryImport(Lib)]
    [SuppressGCTransition]
    internal static partial byte* rocksdb_pinnableslice_value(nint slice, out nuint length);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_pinnableslice_destroy(nint slice);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_multi_get(
        DatabaseHandle db, nint options, nuint count, byte** keys, nuint* keyLengths, byte** values, nuint* valueLengths, nint* errors);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_write(DatabaseHandle db, nint options, nint batch, out nint error);

    [LibraryImport(Lib)]
    internal static partial nint rocksdb_create_iterator(DatabaseHandle db, nint options);

    [LibraryImport(Lib)]
    internal static partial nint rocksdb_create_snapshot(DatabaseHandle db);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_release_snapshot(DatabaseHandle db, nint snapshot);

    [LibraryImport(Lib)]
    internal static partial ulong rocksdb_get_latest_sequence_number(DatabaseHandle db);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint rocksdb_property_value(DatabaseHandle db, string name);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_approximate_sizes(
        DatabaseHandle db, int ranges, byte** starts, nuint* startLengths, byte** limits, nuint* limitLengths, ulong* sizes, out nint error);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_flush(DatabaseHandle db, nint options, out nint error);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_flush_wal(DatabaseHandle db, byte sync, out nint error);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_compact_range(DatabaseHandle db, byte* start, nuint startLength, byte* limit, nuint limitLength);

    [LibraryImport(Lib)]
    internal static partial nint rocksdb_checkpoint_object_create(DatabaseHandle db, out nint error);

    [LibraryImport(Lib, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial void rocksdb_checkpoint_create(nint checkpoint, string folder, ulong logSizeForFlush, out nint error);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_checkpoint_object_destroy(nint checkpoint);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_free(nint pointer);

    // ---- iterators ------------------------------------------------------------------------------------------------------

    [LibraryImport(Lib)]
    internal static partial void rocksdb_iter_destroy(nint iterator);

    [LibraryImport(Lib)]
    [SuppressGCTransition]
    internal static partial byte rocksdb_iter_valid(nint iterator);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_iter_seek_to_first(nint iterator);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_iter_seek_to_last(nint iterator);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_iter_seek(nint iterator, byte* key, nuint length);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_iter_seek_for_prev(nint iterator, byte* key, nuint length);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_iter_next(nint iterator);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_iter_prev(nint iterator);

    [LibraryImport(Lib)]
    [SuppressGCTransition]
    internal static partial byte* rocksdb_iter_key(nint iterator, out nuint length);

    [LibraryImport(Lib)]
    [SuppressGCTransition]
    internal static partial byte* rocksdb_iter_value(nint iterator, out nuint length);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_iter_get_error(nint iterator, out nint error);

    // ---- batches --------------------------------------------------------------------------------------------------------

    [LibraryImport(Lib)]
    internal static partial nint rocksdb_writebatch_create();

    [LibraryImport(Lib)]
    internal static partial void rocksdb_writebatch_destroy(nint batch);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_writebatch_clear(nint batch);

    [LibraryImport(Lib)]
    internal static partial int rocksdb_writebatch_count(nint batch);

    [LibraryImport(Lib)]
    [SuppressGCTransition]
    internal static partial byte* rocksdb_writebatch_data(nint batch, out nuint length);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_writebatch_put(nint batch, byte* key, nuint keyLength, byte* value, nuint valueLength);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_writebatch_delete(nint batch, byte* key, nuint keyLength);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_writebatch_delete_range(nint batch, byte* start, nuint startLength, byte* end, nuint endLength);

    // ---- options --------------------------------------------------------------------------------------------------------

    [LibraryImport(Lib)]
    internal static partial nint rocksdb_readoptions_create();

    [LibraryImport(Lib)]
    internal static partial void rocksdb_readoptions_destroy(nint options);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_readoptions_set_snapshot(nint options, nint snapshot);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_readoptions_set_fill_cache(nint options, byte value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_readoptions_set_readahead_size(nint options, nuint value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_readoptions_set_iterate_upper_bound(nint options, byte* key, nuint length);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_readoptions_set_iterate_lower_bound(nint options, byte* key, nuint length);

    [LibraryImport(Lib)]
    internal static partial nint rocksdb_writeoptions_create();

    [LibraryImport(Lib)]
    internal static partial void rocksdb_writeoptions_destroy(nint options);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_writeoptions_set_sync(nint options, byte value);

    [LibraryImport(Lib)]
    internal static partial nint rocksdb_flushoptions_create();

    [LibraryImport(Lib)]
    internal static partial void rocksdb_flushoptions_destroy(nint options);

    [LibraryImport(Lib)]
    internal static partial nint rocksdb_options_create();

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_destroy(nint options);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_create_if_missing(nint options, byte value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_write_buffer_size(nint options, nuint value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_max_write_buffer_number(nint options, int value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_max_open_files(nint options, int value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_max_background_jobs(nint options, int value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_compression(nint options, int value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_max_total_wal_size(nint options, ulong value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_keep_log_file_num(nint options, nuint value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_max_log_file_size(nint options, nuint value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_info_log_level(nint options, int value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_stats_dump_period_sec(nint options, uint value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_stats_persist_period_sec(nint options, uint value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_level_compaction_dynamic_level_bytes(nint options, byte value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_memtable_whole_key_filtering(nint options, byte value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_memtable_prefix_bloom_size_ratio(nint options, double value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_arena_block_size(nint options, nuint value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_manifest_preallocation_size(nint options, nuint value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_target_file_size_base(nint options, ulong value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_max_bytes_for_level_base(nint options, ulong value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_bytes_per_sync(nint options, ulong value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_recycle_log_file_num(nint options, nuint value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_options_set_block_based_table_factory(nint options, nint table);

    [LibraryImport(Lib)]
    internal static partial nint rocksdb_block_based_options_create();

    [LibraryImport(Lib)]
    internal static partial void rocksdb_block_based_options_destroy(nint options);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_block_based_options_set_block_size(nint options, nuint value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_block_based_options_set_block_cache(nint options, nint cache);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_block_based_options_set_filter_policy(nint options, nint policy);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_block_based_options_set_cache_index_and_filter_blocks(nint options, byte value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(nint options, byte value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_block_based_options_set_format_version(nint options, int value);

    [LibraryImport(Lib)]
    internal static partial nint rocksdb_filterpolicy_create_bloom_full(double bitsPerKey);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_block_based_options_set_index_type(nint options, int value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_block_based_options_set_partition_filters(nint options, byte value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_block_based_options_set_metadata_block_size(nint options, ulong value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_block_based_options_set_pin_top_level_index_and_filter(nint options, byte value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(nint options, byte value);

    [LibraryImport(Lib)]
    internal static partial nint rocksdb_lru_cache_options_create();

    [LibraryImport(Lib)]
    internal static partial void rocksdb_lru_cache_options_destroy(nint options);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_lru_cache_options_set_capacity(nint options, nuint value);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_lru_cache_options_set_num_shard_bits(nint options, int value);

    [LibraryImport(Lib)]
    internal static partial nint rocksdb_cache_create_lru_opts(nint options);

    [LibraryImport(Lib)]
    internal static partial void rocksdb_cache_destroy(nint cache);

    /// <summary>Throws what the engine reported through an error pointer, and frees the text.</summary>
    internal static void Check(nint error, string? path = null)
    {
        if (error != 0)
            Throw(error, path);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Throw(nint error, string? path)
    {
        var status = Marshal.PtrToStringUTF8(error) ?? "unknown failure";
        rocksdb_free(error);
        throw StorageException.FromEngine(status, path);
    }
}
