using System.Globalization;
using System.Text;
using Libp2p;

namespace Cluster.Consensus.Rpc;

/// <summary>Why a peer could not be dialled, in the words that users of the original know (scripts look for them).</summary>
internal static class DialTexts
{
    internal static string Of(DialException failure)
    {
        if (failure.Failure == DialFailure.Self)
            return "failed to dial: dial to self attempted";
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"failed to dial: failed to dial {failure.Peer}: ");
        if (failure.Attempts.Count == 0)
        {
            return text.Append(failure.Failure switch
            {
                DialFailure.NoAddresses => "no addresses",
                DialFailure.NoDialableAddresses => "no good addresses",
                DialFailure.Backoff => "dial backoff",
                _ => failure.Message,
            }).ToString();
        }

        text.Append("all dials failed");
        foreach (var attempt in failure.Attempts)
            text.Append(CultureInfo.InvariantCulture, $"\n  * [{attempt.Address}] {ReasonOf(attempt)}");
        return text.ToString();
    }

    private static string ReasonOf(DialAttempt attempt) => attempt.Failure switch
    {
        DialFailure.Refused => $"dial {EndOf(attempt.Address)}: connect: connection refused",
        DialFailure.Unreachable => $"dial {EndOf(attempt.Address)}: connect: no route to host",
        DialFailure.TimedOut => $"dial {EndOf(attempt.Address)}: i/o timeout",
        DialFailure.Backoff => "dial backoff",
        DialFailure.OtherPeer or DialFailure.OtherNetwork or DialFailure.HandshakeFailed or DialFailure.NoCommonProtocol =>
            $"failed to negotiate security protocol: {attempt.Reason}",
        _ => attempt.Reason,
    };

    private static string EndOf(Multiaddr address) => address.TryGetTcpEndPoint(out var end)
        ? $"{(end.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? "tcp6" : "tcp4")} {end}"
        : $"{address}";
}
