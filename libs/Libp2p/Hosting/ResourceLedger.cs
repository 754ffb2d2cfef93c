using System.Runtime.InteropServices;
using Libp2p.Muxing;

namespace Libp2p.Hosting;

/// <summary>Counts what peers use and says no at the limits.</summary>
internal sealed class ResourceLedger(ResourceLimits limits)
{
    private readonly Lock gate = new();
    private readonly ResourceLimits limits = limits;
    private readonly Dictionary<PeerId, Account> accounts = [];
    private int connections;
    private int inboundConnections;
    private int pendingInbound;
    private int inboundStreams;
    private long memory;

    private sealed class Account
    {
        public int Connections;
        public int InboundConnections;
        public int Streams;
        public int InboundStreams;
        public long Memory;
        public readonly Dictionary<string, int> InboundByProtocol = [];

        public bool IsIdle => Connections == 0 && Streams == 0 && Memory == 0;
    }

    /// <summary>A place for an inbound connection that is not secured yet. Returns the limit that is reached, or null.</summary>
    public string? TryBeginInbound()
    {
        lock (gate)
        {
            if (pendingInbound >= limits.PendingInbound) return $"{pendingInbound} of {limits.PendingInbound} connections that are not secured yet";
            if (inboundConnections >= limits.InboundConnections) return $"{inboundConnections} of {limits.InboundConnections} inbound connections";
            if (connections >= limits.Connections) return $"{connections} of {limits.Connections} connections";
            pendingInbound++;
            return null;
        }
    }

    /// <summary>Places taken by <see cref="TryBeginInbound"/>.</summary>
    public int PendingInbound
    {
        get
        {
            lock (gate) return pendingInbound;
        }
    }

    public void EndInbound()
    {
        lock (gate) pendingInbound--;
    }

    public string? TryAddConnection(PeerId peer, bool inbound)
    {
        lock (gate)
        {
            var account = AccountOf(peer);
            string? refusal =
                connections >= limits.Connections ? $"{connections} of {limits.Connections} connections"
                : inbound && inboundConnections >= limits.InboundConnections ? $"{inboundConnections} of {limits.InboundConnections} inbound connections"
                : inbound && account.InboundConnections >= limits.InboundConnectionsPerPeer
                    ? $"{account.InboundConnections} of {limits.InboundConnectionsPerPeer} inbound connections of peer {peer}"
                : account.Connections >= limits.ConnectionsPerPeer ? $"{account.Connections} of {limits.ConnectionsPerPeer} connections of peer {peer}"
                : null;
            if (refusal is null)
            {
                connections++;
                account.Connections++;
                if (inbound)
                {
                    inboundConnections++;
                    account.InboundConnections++;
                }
            }
            Settle(peer, account);
            return refusal;
        }
    }

    public void RemoveConnection(PeerId peer, bool inbound)
    {
        lock (gate)
        {
            var account = AccountOf(peer);
            connections--;
            account.Connections--;
            if (inbound)
            {
                inboundConnections--;
                account.InboundConnections--;
            }
            Settle(peer, account);
        }
    }

    public string? TryAddStream(PeerId peer, bool inbound)
    {
        lock (gate)
        {
            var account = AccountOf(peer);
            string? refusal =
                inbound && inboundStreams >= limits.InboundStreams ? $"{inboundStreams} of {limits.InboundStreams} inbound streams"
                : inbound && account.InboundStreams >= limits.InboundStreamsPerPeer
                    ? $"{account.InboundStreams} of {limits.InboundStreamsPerPeer} inbound streams of peer {peer}"
                : account.Streams >= limits.StreamsPerPeer ? $"{account.Streams} of {limits.StreamsPerPeer} streams of peer {peer}"
                : null;
            if (refusal is null)
            {
                account.Streams++;
                if (inbound)
                {
                    inboundStreams++;
                    account.InboundStreams++;
                }
            }
            Settle(peer, account);
            return refusal;
        }
    }

    /// <summary>A place for an inbound stream on its protocol, known after negotiation.</summary>
    public string? TryAddToProtocol(PeerId peer, string protocol, int? protocolLimit)
    {
        lock (gate)
        {
            int limit = protocolLimit ?? limits.InboundStreamsPerPeerAndProtocol;
            ref int count = ref CollectionsMarshal.GetValueRefOrAddDefault(AccountOf(peer).InboundByProtocol, protocol, out _);
            if (count >= limit) return $"{count} of {limit} inbound streams of peer {peer} on {protocol}";
            count++;
            return null;
        }
    }

    public void RemoveStream(PeerId peer, bool inbound, string? protocol)
    {
        lock (gate)
        {
            var account = AccountOf(peer);
            account.Streams--;
            if (inbound)
            {
                inboundStreams--;
                account.InboundStreams--;
                if (protocol is not null && --CollectionsMarshal.GetValueRefOrAddDefault(account.InboundByProtocol, protocol, out _) <= 0)
                    account.InboundByProtocol.Remove(protocol);
            }
            Settle(peer, account);
        }
    }

    /// <summary>The memory of one peer's streams.</summary>
    public IMemoryBudget MemoryOf(PeerId peer) => new PeerMemory(this, peer);

    private Account AccountOf(PeerId peer) =>
        CollectionsMarshal.GetValueRefOrAddDefault(accounts, peer, out _) ??= new Account();

    private void Settle(PeerId peer, Account account)
    {
        if (account.IsIdle) accounts.Remove(peer);
    }

    private sealed class PeerMemory(ResourceLedger ledger, PeerId peer) : IMemoryBudget
    {
        public bool TryReserve(long bytes)
        {
            lock (ledger.gate)
            {
                var account = ledger.AccountOf(peer);
                bool ok = ledger.memory + bytes <= ledger.limits.Memory && account.Memory + bytes <= ledger.limits.MemoryPerPeer;
                if (ok)
                {
                    ledger.memory += bytes;
                    account.Memory += bytes;
                }
                ledger.Settle(peer, account);
                return ok;
            }
        }

        public void Release(long bytes)
        {
            lock (ledger.gate)
            {
                var account = ledger.AccountOf(peer);
                ledger.memory -= bytes;
                account.Memory -= bytes;
                ledger.Settle(peer, account);
            }
        }
    }
}
