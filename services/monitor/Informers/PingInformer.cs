using System.Text.Json;
using Libp2p;

namespace Cluster.Monitor.Informers;

/// <summary>Who the daemon beside this peer is, as far as it is known.</summary>
/// <param name="Id">Its peer id; empty when it has not answered yet.</param>
/// <param name="Addresses">Its swarm addresses.</param>
public sealed record DaemonIdentity(string Id, IReadOnlyList<string> Addresses);

/// <summary>
/// Says that this peer is alive, and who it and its daemon are (spec/behaviour.md 17.2). While the daemon does not answer, its last
/// known identity is repeated: a peer is not dead for having lost its daemon.
/// </summary>
/// <param name="peerName">The peer's name.</param>
/// <param name="interval">How often the peer pings; a ping holds twice as long.</param>
/// <param name="daemon">The daemon's last known identity.</param>
public sealed class PingInformer(string peerName, TimeSpan interval, Func<DaemonIdentity?> daemon) : IInformer
{
    /// <inheritdoc/>
    public string Name => "ping";

    /// <inheritdoc/>
    public TimeSpan TimeToLive => interval * 2;

    /// <inheritdoc/>
    public Task<IReadOnlyList<Finding>> FindAsync(CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<Finding>>([new Finding(Name, Value(), true)]);

    private string Value()
    {
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text))
        {
            var identity = daemon();
            json.WriteStartObject();
            if (peerName.Length > 0)
                json.WriteString("peer_name", peerName);
            if (identity is { Id.Length: > 0 })
                json.WriteString("ipfs_id", identity.Id);
            var addresses = identity?.Addresses.Where(IsOfUse).ToList() ?? [];
            if (addresses.Count > 0)
            {
                json.WriteStartArray("ipfs_addresses");
                foreach (var address in addresses)
                    json.WriteStringValue(address);
                json.WriteEndArray();
            }
            json.WriteEndObject();
        }
        return System.Text.Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)text.Length);
    }

    /// <summary>Other networks' peers can reach public IP and DNS addresses only.</summary>
    private static bool IsOfUse(string address) =>
        Multiaddr.TryParse(address, out var parsed, out _)
        && (parsed.IsPublic || address.StartsWith("/dns", StringComparison.Ordinal));
}
