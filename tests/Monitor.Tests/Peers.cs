using Cluster.Model;
using Libp2p;

namespace Cluster.Monitor.Tests;

/// <summary>Peers and metrics for tests.</summary>
internal static class Peers
{
    public static PeerId Peer(int number)
    {
        var seed = new byte[32];
        Array.Fill(seed, (byte)number);
        return PrivateKey.FromEd25519Seed(seed).PeerId;
    }

    public static Metric Metric(int peer, string name, TimeProvider time, TimeSpan holds, string value = "1", bool valid = true) => new()
    {
        Peer = Peer(peer),
        Name = name,
        Value = value,
        Valid = valid,
        Expire = GoTime.Now(time).Add(GoDuration.FromTimeSpan(holds)).UnixNanoseconds,
    };
}
