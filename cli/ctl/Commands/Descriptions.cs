namespace Cluster.Ctl.Commands;

/// <summary>The long texts of the help, as the original words them.</summary>
internal static class Descriptions
{
    public const string Id = """

        This command displays information about the peer that the tool is contacting
        (usually running in localhost).

        """;

    public const string PeersList = """

        This command provides a list of the ID information of all the peers in the Cluster.

        """;

    public const string PeersRemove = """

        This command removes a peer from the cluster. If the peer is online, it will
        automatically shut down. All other cluster peers should be online for the
        operation to succeed, otherwise some nodes may be left with an outdated list of
        cluster peers.

        """;

    public static readonly string Add = $"""

        Add allows to add and replicate content to several ipfs daemons, performing
        a Cluster Pin operation on success. It takes elements from local paths as
        well as from web URLs (accessed with a GET request). Providing several
        arguments will automatically set --wrap-in-directory.

        Cluster "add" works, by default, just like "ipfs add" and has similar options
        in terms of DAG layout, chunker, hash function etc. It also supports adding
        CAR files directly (--format car), as long as they have a single root. When
        adding CAR files, all the options related to dag-building are ignored.

        Added content will be allocated and sent block by block to the peers that
        should pin it (among which may not necessarily be the local ipfs daemon).
        Once all the blocks have arrived, they will be "cluster-pinned". This makes{' '}
        cluster add slower than a local ipfs add, but the result is a fully replicated
        on completion. If you prefer faster adding, use the --local flag to add{' '}
        directly to the local IPFS node and pin in the destinations after that.{' '}
        Note that the local IPFS node may not be among the destinations, which will
        leave the unpinned content in it.

        Optional replication-min and replication-max factors can be provided: -1 means
        "pin everywhere" and 0 means use cluster's default setting (i.e., replication
        factor set in config). Positive values indicate how many peers should pin this
        content.

        """;

    public const string PinAdd = """

        This command tells IPFS Cluster to start managing a CID. Depending on
        the pinning strategy, this will trigger IPFS pin requests. The CID will
        become part of the Cluster's state and will tracked from this point.

        When the request has succeeded, the command returns the status of the CID
        in the cluster and should be part of the list offered by "pin ls".

        An optional replication factor can be provided: -1 means "pin everywhere"
        and 0 means use cluster's default setting (i.e., replication factor set in
        config). Positive values indicate how many peers should pin this content.

        An optional allocations argument can be provided, allocations should be a
        comma-separated list of peer IDs on which we want to pin. Peers in allocations
        are prioritized over automatically-determined ones, but replication factors
        would still be respected.

        """;

    public const string PinRemove = """

        This command tells IPFS Cluster to no longer manage a CID. This will
        trigger unpinning operations in all the IPFS nodes holding the content.

        When the request has succeeded, the command returns the status of the CID
        in the cluster. The CID should disappear from the list offered by "pin ls",
        although unpinning operations in the cluster may take longer or fail.

        """;

    public const string PinUpdate = """

        This command will add a new pin to the cluster taking all the options from an
        existing one, including name. This means that the new pin will bypass the
        allocation process and will be allocated to the same peers as the existing
        one.

        The cluster peers will try to Pin the new item on IPFS using the "pin update"
        command. This is especially efficient when the content of two pins (their DAGs)
        are similar.

        Unlike the "pin update" command in the ipfs daemon, this will not unpin the
        existing item from the cluster. Please run "pin rm" for that.

        """;

    public const string PinList = """

        This command will list the CIDs which are tracked by IPFS Cluster and to
        which peers they are currently allocated. This list does not include
        any monitoring information about the IPFS status of the CIDs, it
        merely represents the list of pins which are part of the shared state of
        the cluster. For IPFS-status information about the pins, use "status".

        The filter only takes effect when listing all pins. The possible values are:
          - all (default)
          - pin (normal pins, recursive or direct)
          - meta-pin (sharded pins)
          - clusterdag-pin (sharding-dag root pins)
          - shard-pin (individual shard pins)

        """;

    public static readonly string Status = $"""

        This command retrieves the status of the CIDs tracked by IPFS
        Cluster, including which member is pinning them and any errors.
        If one of several CIDs are provided, the status will be only fetched{' '}
        for a single item.  Metadata CIDs are included in the status response.

        When the --local flag is passed, it will only fetch the status from the
        contacted cluster peer. By default, status will be fetched from all peers.

        When the --filter flag is passed, it will only fetch the peer information
        where status of the pin matches at least one of the filter values (a comma
        separated list). The following are valid status values:

          - cluster_error
          - error
          - pin_error
          - pin_queued
          - pinned
          - pinning
          - queued
          - remote
          - sharded
          - unexpectedly_unpinned
          - unpin_error
          - unpin_queued
          - unpinned
          - unpinning
        """;

    public const string Recover = """

        This command asks Cluster peers to re-track or re-forget CIDs in
        error state, usually because the IPFS pin or unpin operation has failed.

        The command will wait for any operations to succeed and will return the status
        of the item upon completion. Note that, when running on the full sets of tracked
        CIDs (without argument), it may take a considerably long time.

        When the --local flag is passed, it will only trigger recover
        operations on the contacted peer (as opposed to on every peer).

        """;

    public const string Version = """

        This command retrieves the IPFS Cluster version and can be used
        to check that it matches the CLI version (shown by -v).

        """;

    public const string HealthGraph = """

        This command queries all connected cluster peers and their ipfs peers to generate a
        graph of the connections.  Output is a dot file encoding the cluster's connection state.

        """;

    public const string HealthMetrics = """

        This commands displays the latest valid metrics of the given type logged
        by this peer for all current cluster peers.

        If no argument is provided, the command retrieves all currently existing metric types.

        Currently supported metrics depend on the informer component used,
        but usually are:

        - freespace
        - ping

        """;

    public const string HealthAlerts = """

        This command provides a list of "alerts" that the cluster has seen.

        An alert is triggered when one of the metrics seen for a peer expires, and no
        new metrics have been received.

        Different alerts may be handled in different ways. i.e. ping alerts may
        trigger automatic repinnings if configured.

        """;

    public const string HealthBandwidth = """

        This command lists information about bytes sent, received and current bandwidth
        rates for each libp2p protocol that the peer uses.

        """;

    public const string IpfsGc = """

        This command will instruct current Cluster peers to run "repo gc" on their
        respective IPFS daemons.

        When --local flag is passed, it will garbage collect only on the local IPFS
        daemon, otherwise on all IPFS daemons.

        """;
}
