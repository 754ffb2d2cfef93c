using System.Text;
using Libp2p;

namespace Cluster.Consensus.Peering;

/// <summary>Failed dials in the words that operators know from the original, with what to do about it where that can be said.</summary>
public static class DialTexts
{
    /// <summary>One text for the failure of a dial.</summary>
    public static string Of(DialException failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        if (failure.Failure == DialFailure.Self)
            return "failed to dial: dial to self attempted";
        if (failure.Failure == DialFailure.NoAddresses && failure.Attempts.Count == 0)
            return "failed to find any peer in table"; // in the original the DHT is asked for addresses, and says so
        var text = new StringBuilder($"failed to dial: failed to dial {failure.Peer}: ");
        if (failure.Attempts.Count == 0)
            return text.Append(Cause(failure)).ToString();
        text.Append("all dials failed");
        foreach (var attempt in failure.Attempts)
            text.Append($"\n  * [{attempt.Address}] {ReasonOf(attempt)}");
        if (Advice(failure.Failure) is { } advice)
            text.Append('\n').Append(advice);
        return text.ToString();
    }

    /// <summary>What the failure most likely means to the operator; null when it speaks for itself.</summary>
    public static string? Advice(DialFailure failure) => failure switch
    {
        DialFailure.OtherNetwork => "The other side has another cluster secret, or none: all peers of a cluster need the same cluster.secret.",
        DialFailure.OtherPeer => "Another peer answers at this address: its identity was made anew, or the address is of another cluster.",
        DialFailure.NoCommonProtocol => "The other side is no cluster peer, or one that is too old.",
        _ => null,
    };

    /// <summary>Whether the failure needs somebody to change something: trying again does not help.</summary>
    public static bool IsMisconfiguration(DialFailure failure) =>
        failure is DialFailure.OtherNetwork or DialFailure.OtherPeer or DialFailure.NoCommonProtocol or DialFailure.NoDialableAddresses;

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

    private static string Cause(DialException failure)
    {
        var start = $"Dialling {failure.Peer} failed: ";
        return failure.Message.StartsWith(start, StringComparison.Ordinal) ? failure.Message[start.Length..] : failure.Message;
    }
}
