using System.Text.Json;

namespace Cluster.Model.Configuration;

/// <summary>
/// A loaded and checked <c>service.json</c>. Every section has values, whether the file has it or not; <see cref="Runs"/> tells which
/// optional components are to be started (spec/config.md 2.1).
/// </summary>
public sealed record ClusterConfiguration
{
    /// <summary>The folder against which names were resolved.</summary>
    public required string Folder { get; init; }

    public required ClusterSection Cluster { get; init; }

    public required CrdtSection Crdt { get; init; }

    public required RaftSection Raft { get; init; }

    public required RestApiSection RestApi { get; init; }

    public required PinSvcApiSection PinSvcApi { get; init; }

    public required IpfsProxySection IpfsProxy { get; init; }

    public required IpfsHttpSection IpfsHttp { get; init; }

    public required StatelessSection Stateless { get; init; }

    public required PubsubMonSection PubsubMon { get; init; }

    public required BalancedSection Balanced { get; init; }

    public required DiskSection Disk { get; init; }

    public required PinQueueSection PinQueue { get; init; }

    public required TagsSection Tags { get; init; }

    public required MetricsSection Metrics { get; init; }

    public required TracingSection Tracing { get; init; }

    public required PebbleSection Pebble { get; init; }

    public required BadgerSection Badger { get; init; }

    public required Badger3Section Badger3 { get; init; }

    public required LevelDbSection LevelDb { get; init; }

    /// <summary>Components that the file has, as <c>section.component</c>, known ones only.</summary>
    public IReadOnlySet<string> Present { get; init; } = new HashSet<string>();

    /// <summary>Where the configuration was fetched from; null when the file holds it.</summary>
    public string? Source { get; init; }

    /// <summary>Components of known sections that nobody here knows; they are kept when the file is written.</summary>
    internal IReadOnlyList<(string Section, string Component, JsonElement Json)> Unknown { get; init; } = [];

    /// <summary>What the original would have logged while loading.</summary>
    public IReadOnlyList<ConfigurationLogLine> Log { get; init; } = [];

    public bool RunsRestApi => Present.Contains("api.restapi");

    public bool RunsPinSvcApi => Present.Contains("api.pinsvcapi");

    public bool RunsIpfsProxy => Present.Contains("api.ipfsproxy");

    public bool RunsDiskInformer => Present.Contains("informer.disk");

    public bool RunsPinQueueInformer => Present.Contains("informer.pinqueue");

    public bool RunsTagsInformer => Present.Contains("informer.tags");

    /// <summary><c>crdt</c> or <c>raft</c>; empty when the file has none or both: <c>could not determine the consensus component</c>.</summary>
    public string Consensus => OnlyOneOf("consensus", "crdt", "raft");

    /// <summary><c>pebble</c>, <c>badger3</c>, <c>badger</c> or <c>leveldb</c>; empty when the file has none or several: <c>unknown datastore</c>, for crdt.</summary>
    public string Datastore => OnlyOneOf("datastore", "pebble", "badger3", "badger", "leveldb");

    /// <summary>The metrics to allocate by: without an allocator in the file the daemon takes free space alone.</summary>
    public IReadOnlyList<string> AllocateBy => Runs("allocator.balanced") ? Balanced.AllocateBy : ["freespace"];

    /// <summary>Whether the file has a component, for example <c>api.restapi</c>.</summary>
    public bool Runs(string component) => Present.Contains(component);

    /// <summary>The file as the original would write it, without a final line end.</summary>
    public string ToJson() => ConfigurationWriter.Write(this, everything: false, display: false);

    /// <summary>All components with all keys, secrets replaced: what the daemon logs at its start.</summary>
    public string ToDisplayJson() => ConfigurationWriter.Write(this, everything: true, display: true);

    /// <summary>Like <see cref="ToJson"/>, together with the defaults of the components that the file lacks.</summary>
    public string ToCompleteJson() => ConfigurationWriter.Write(this, everything: true, display: false);

    private string OnlyOneOf(string section, params ReadOnlySpan<string> components)
    {
        var found = string.Empty;
        foreach (var component in components)
        {
            if (!Runs(section + "." + component))
                continue;
            if (found.Length > 0)
                return string.Empty;
            found = component;
        }

        return found;
    }
}
