namespace Cluster.Model.Tests;

[Trait("Category", "Golden")]
public class GoAddressesTests
{
    // Protocols that no cluster address uses: refused all the same, in other words.
    private static readonly string[] OtherWords = ["onion", "garlic", "certhash", "ip6zone"];

    [Fact]
    public void Bad_multiaddresses_are_refused_in_the_originals_words() => Golden.All(
        Golden.Cases("libp2p/multiaddr.json", "bad_text"), golden => Golden.Of(golden, "text")!, golden =>
        {
            var text = Golden.Of(golden, "text")!;
            if (GoAddresses.TryParseMultiaddr(text, out _, out var error))
                return "accepted";
            return OtherWords.Any(text.Contains) ? null : Golden.Compare(Golden.Of(golden, "error"), error);
        });
}
