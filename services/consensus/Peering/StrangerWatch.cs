using System.Net;
using Libp2p;
using Microsoft.Extensions.Logging;

namespace Cluster.Consensus.Peering;

/// <summary>
/// Tells the operator of machines that connect but do not share this cluster's secret: most often a peer with a wrong one. Each machine
/// is named once in a while, however often it tries.
/// </summary>
internal sealed class StrangerWatch(TimeProvider time, ILogger logger) : IHostObserver
{
    private static readonly TimeSpan BetweenWords = TimeSpan.FromMinutes(10);

    /// <summary>A port that the whole world can reach must not fill the memory: beyond this, nobody new is named until some are forgotten.</summary>
    private const int MostRemembered = 256;

    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, DateTimeOffset> _named = [];

    public void OnInboundFailed(Multiaddr remote, DialFailure failure, string reason)
    {
        if (failure != DialFailure.OtherNetwork || remote.Ip is not { } machine || !IsNews(machine))
            return;
        PeeringLog.Stranger(logger, remote);
    }

    private bool IsNews(IPAddress machine)
    {
        lock (_lock)
        {
            var now = time.GetUtcNow();
            foreach (var (address, said) in _named)
            {
                // Removing while enumerating is permitted.
                if (now - said >= BetweenWords)
                    _named.Remove(address);
            }

            return _named.Count < MostRemembered && _named.TryAdd(machine, now);
        }
    }
}
