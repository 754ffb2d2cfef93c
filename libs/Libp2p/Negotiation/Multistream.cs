namespace Libp2p.Negotiation;

/// <summary>Agreement on a protocol by multistream-select 1.0.0. Deadlines are the caller's, through the token.</summary>
internal static class Multistream
{
    // A peer that proposes more than this is not negotiating.
    private const int MaxProposals = 256;

    private static readonly byte[] Header = MultistreamToken.Encode(ProtocolName.Multistream);
    private static readonly byte[] Refusal = MultistreamToken.Encode(ProtocolName.NotAvailable);

    /// <summary>Proposes protocols in order and returns the first that the other side takes.</summary>
    public static async ValueTask<string> SelectAsync(TokenChannel channel, IReadOnlyList<string> protocols, CancellationToken cancellationToken)
    {
        if (protocols.Count == 0) throw new ArgumentException("No protocol is proposed.", nameof(protocols));
        for (int i = 0; i < protocols.Count; i++)
        {
            string proposal = protocols[i];
            await channel.WriteAsync(
                i == 0 ? MultistreamToken.Encode(ProtocolName.Multistream, proposal) : MultistreamToken.Encode(proposal), cancellationToken);
            if (i == 0) await ExpectHeaderAsync(channel, cancellationToken);
            if (await IsAcceptedAsync(channel, proposal, cancellationToken)) return proposal;
        }
        throw new ProtocolNotSupportedException(protocols);
    }

    /// <summary>Reads the answer to a header that was sent earlier.</summary>
    public static ValueTask ConfirmHeaderAsync(TokenChannel channel, CancellationToken cancellationToken) => ExpectHeaderAsync(channel, cancellationToken);

    /// <summary>Reads the answer, behind the one to the header, to a proposal that was sent earlier.</summary>
    public static async ValueTask ConfirmAsync(TokenChannel channel, string proposal, CancellationToken cancellationToken)
    {
        if (!await IsAcceptedAsync(channel, proposal, cancellationToken)) throw new ProtocolNotSupportedException([proposal]);
    }

    /// <summary>Answers proposals until one is supported, and returns it.</summary>
    public static async ValueTask<string> AnswerAsync(TokenChannel channel, Func<string, bool> supports, CancellationToken cancellationToken)
    {
        await channel.WriteAsync(Header, cancellationToken);
        string header = await channel.ReadAsync(cancellationToken);
        if (header != ProtocolName.Multistream)
            throw new NegotiationException($"The peer does not begin with {ProtocolName.Multistream}, but with \"{Printable(header)}\".");
        for (int i = 0; i < MaxProposals; i++)
        {
            string proposal = await channel.ReadAsync(cancellationToken);
            if (supports(proposal))
            {
                await channel.WriteAsync(MultistreamToken.Encode(proposal), cancellationToken);
                return proposal;
            }
            await channel.WriteAsync(Refusal, cancellationToken);
        }
        throw new NegotiationException($"The peer made {MaxProposals} proposals, none of them supported.");
    }

    private static async ValueTask ExpectHeaderAsync(TokenChannel channel, CancellationToken cancellationToken)
    {
        string header = await channel.ReadAsync(cancellationToken);
        if (header != ProtocolName.Multistream)
            throw new NegotiationException($"The peer answers with \"{Printable(header)}\" instead of {ProtocolName.Multistream}.");
    }

    private static async ValueTask<bool> IsAcceptedAsync(TokenChannel channel, string proposal, CancellationToken cancellationToken)
    {
        string answer = await channel.ReadAsync(cancellationToken);
        if (answer == proposal) return true;
        if (answer == ProtocolName.NotAvailable) return false;
        throw new NegotiationException($"The peer answers \"{Printable(answer)}\" to the proposal {proposal}.");
    }

    private static string Printable(string text) =>
        string.Concat(text.Take(80).Select(c => char.IsAsciiLetterOrDigit(c) || char.IsPunctuation(c) || c == ' ' ? c : '?'));
}
