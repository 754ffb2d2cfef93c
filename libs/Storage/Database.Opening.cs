using Cluster.Storage.Native;

namespace Cluster.Storage;

public sealed partial class Database
{
    // Levels of RocksDB's own LOG file: debug 0, info 1, warn 2, error 3.
    private const int LogWarnings = 2;

    /// <summary>An index of indexes; the other kinds are one block a file.</summary>
    private const int TwoLevelIndex = 2;

    /// <summary>Bytes of a part of an index or a filter.</summary>
    private const int PartBytes = 8 << 10;

    /// <summary>Two parts of the cache, so that two readers seldom wait for each other. By default 16 would share its few MiB.</summary>
    private const int CacheShardBits = 1;

    private static DatabaseHandle OpenHandle(string path, DatabaseOptions options)
    {
        var native = RocksDb.rocksdb_options_create();
        var table = RocksDb.rocksdb_block_based_options_create();
        var cache = CreateCache(options);
        try
        {
            ConfigureTable(table, cache, options);
            Configure(native, table, options);
            nint error;
            var db = options.ReadOnly
                ? RocksDb.rocksdb_open_for_read_only(native, path, 0, out error)
                : RocksDb.rocksdb_open(native, path, out error);
            RocksDb.Check(error, path);
            return new DatabaseHandle(db, native, table, cache);
        }
        catch
        {
            DatabaseHandle.ReleaseOptions(native, table, cache);
            throw;
        }
    }

    private static nint CreateCache(DatabaseOptions options)
    {
        var settings = RocksDb.rocksdb_lru_cache_options_create();
        RocksDb.rocksdb_lru_cache_options_set_capacity(settings, (nuint)options.BlockCacheBytes);
        RocksDb.rocksdb_lru_cache_options_set_num_shard_bits(settings, CacheShardBits);
        var cache = RocksDb.rocksdb_cache_create_lru_opts(settings);
        RocksDb.rocksdb_lru_cache_options_destroy(settings);
        return cache;
    }

    private static void ConfigureTable(nint table, nint cache, DatabaseOptions options)
    {
        RocksDb.rocksdb_block_based_options_set_block_cache(table, cache);
        RocksDb.rocksdb_block_based_options_set_block_size(table, (nuint)options.BlockBytes);
        RocksDb.rocksdb_block_based_options_set_format_version(table, 5);

        // Index and filters count as cache, so that memory does not grow with the number of files. In parts: the filter of a whole file
        // would not fit into a shard of the cache, and be read anew with every lookup.
        RocksDb.rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1);
        RocksDb.rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(table, 1);
        RocksDb.rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(table, 1);
        RocksDb.rocksdb_block_based_options_set_index_type(table, TwoLevelIndex);
        RocksDb.rocksdb_block_based_options_set_partition_filters(table, 1);
        RocksDb.rocksdb_block_based_options_set_metadata_block_size(table, PartBytes);
        RocksDb.rocksdb_block_based_options_set_pin_top_level_index_and_filter(table, 1);
        if (options.BloomBitsPerKey > 0)
            RocksDb.rocksdb_block_based_options_set_filter_policy(
                table, RocksDb.rocksdb_filterpolicy_create_bloom_full(options.BloomBitsPerKey));
    }

    private static void Configure(nint native, nint table, DatabaseOptions options)
    {
        RocksDb.rocksdb_options_set_block_based_table_factory(native, table);
        RocksDb.rocksdb_options_set_create_if_missing(native, (byte)(options.CreateIfMissing && !options.ReadOnly ? 1 : 0));
        RocksDb.rocksdb_options_set_write_buffer_size(native, (nuint)Math.Max(options.WriteBufferBytes, 64 << 10));
        RocksDb.rocksdb_options_set_max_write_buffer_number(native, Math.Max(options.MaxWriteBuffers, 2));
        RocksDb.rocksdb_options_set_target_file_size_base(native, (ulong)Math.Max(options.WriteBufferBytes, 4 << 20));
        RocksDb.rocksdb_options_set_max_bytes_for_level_base(native, (ulong)Math.Max(options.WriteBufferBytes * 4, 32 << 20));
        RocksDb.rocksdb_options_set_max_open_files(native, options.MaxOpenFiles);
        RocksDb.rocksdb_options_set_max_background_jobs(native, options.BackgroundJobs);
        RocksDb.rocksdb_options_set_compression(native, (int)options.Compression);
        RocksDb.rocksdb_options_set_max_total_wal_size(native, (ulong)options.MaxWalBytes);
        RocksDb.rocksdb_options_set_level_compaction_dynamic_level_bytes(native, 1);

        // Most pins are new: a filter over the memtable answers "not there" without walking its skip list.
        RocksDb.rocksdb_options_set_memtable_whole_key_filtering(native, 1);
        RocksDb.rocksdb_options_set_memtable_prefix_bloom_size_ratio(native, 0.02);
        RocksDb.rocksdb_options_set_arena_block_size(native, 256 << 10);
        RocksDb.rocksdb_options_set_manifest_preallocation_size(native, 64 << 10);
        RocksDb.rocksdb_options_set_bytes_per_sync(native, 1 << 20);

        // The engine's own log stays small and its periodic statistics off: an idle peer writes nothing.
        RocksDb.rocksdb_options_set_info_log_level(native, LogWarnings);
        RocksDb.rocksdb_options_set_keep_log_file_num(native, 2);
        RocksDb.rocksdb_options_set_max_log_file_size(native, 1 << 20);
        RocksDb.rocksdb_options_set_stats_dump_period_sec(native, 0);
        RocksDb.rocksdb_options_set_stats_persist_period_sec(native, 0);
    }
}
