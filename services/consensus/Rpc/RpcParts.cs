using Cluster.Consensus.Clients;
using Cluster.Consensus.Members;
using Cluster.Consensus.Replication;
using Cluster.Consensus.Status;

namespace Cluster.Consensus.Rpc;

/// <summary>What the served methods work on; see the types.</summary>
public sealed record RpcParts(
    IConsensus Consensus, ITracker Tracker, IDaemon Daemon, SelfPeer Self, Membership Membership, GlobalStatus Status, StatusReports Reports);
