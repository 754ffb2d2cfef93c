using System.Text;

namespace Libp2p;

/// <summary>Why a dial failed.</summary>
public enum DialFailure
{
    /// <summary>No address of the peer is known.</summary>
    NoAddresses,

    /// <summary>None of the known addresses is of a form that can be dialled.</summary>
    NoDialableAddresses,

    /// <summary>All addresses failed a short while ago and are not tried again yet.</summary>
    Backoff,

    /// <summary>A name has no addresses.</summary>
    Unresolved,

    /// <summary>Nobody listens at the address.</summary>
    Refused,

    /// <summary>No way leads to the address.</summary>
    Unreachable,

    /// <summary>No answer came in time.</summary>
    TimedOut,

    /// <summary>The other side shares not this network's secret, or is in no private network, or in one while this host is not.</summary>
    OtherNetwork,

    /// <summary>The two sides have no security protocol or muxer in common.</summary>
    NoCommonProtocol,

    /// <summary>Another peer answered.</summary>
    OtherPeer,

    /// <summary>The other side failed the security handshake or broke a protocol.</summary>
    HandshakeFailed,

    /// <summary>A limit of this host stands against it.</summary>
    LimitReached,

    /// <summary>The host dialled itself.</summary>
    Self,

    /// <summary>Anything else.</summary>
    Other,
}

/// <summary>One address that was tried, and what came of it.</summary>
/// <param name="Address">The address.</param>
/// <param name="Failure">Kind of failure.</param>
/// <param name="Reason">The failure in words.</param>
public sealed record DialAttempt(Multiaddr Address, DialFailure Failure, string Reason);

/// <summary>A peer could not be dialled.</summary>
public sealed class DialException : IOException
{
    // What tells the user most comes first.
    private static readonly DialFailure[] Weight =
    [
        DialFailure.OtherPeer, DialFailure.OtherNetwork, DialFailure.NoCommonProtocol, DialFailure.HandshakeFailed, DialFailure.LimitReached,
        DialFailure.Refused, DialFailure.TimedOut, DialFailure.Unreachable, DialFailure.Unresolved, DialFailure.Other,
    ];

    internal DialException(PeerId peer, DialFailure failure, string reason) : base($"Dialling {peer} failed: {reason}")
    {
        Peer = peer;
        Failure = failure;
        Attempts = [];
    }

    internal DialException(PeerId peer, IReadOnlyList<DialAttempt> attempts, Exception? inner) : base(Describe(peer, attempts), inner)
    {
        Peer = peer;
        Attempts = attempts;
        Failure = Weight.FirstOrDefault(w => attempts.Any(a => a.Failure == w), attempts[0].Failure);
    }

    /// <summary>The peer that was dialled.</summary>
    public PeerId Peer { get; }

    /// <summary>The failure that tells most, if there were several.</summary>
    public DialFailure Failure { get; }

    /// <summary>Each address that was tried.</summary>
    public IReadOnlyList<DialAttempt> Attempts { get; }

    private static string Describe(PeerId peer, IReadOnlyList<DialAttempt> attempts)
    {
        var text = new StringBuilder($"Dialling {peer} failed");
        foreach (var attempt in attempts) text.Append(attempts.Count == 1 ? ": " : "\n  ").Append(attempt.Address).Append(": ").Append(attempt.Reason);
        return text.ToString();
    }
}
