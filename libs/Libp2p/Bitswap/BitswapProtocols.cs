namespace Libp2p.Bitswap;

/// <summary>What a version of bitswap can say.</summary>
[Flags]
public enum BitswapFeatures
{
    /// <summary>Blocks without their CID: 1.0.0 and the name without a version.</summary>
    None = 0,

    /// <summary>Blocks with the prefix of their CID: 1.1.0.</summary>
    BlockPrefixes = 1,

    /// <summary>Want-have, HAVE and DONT_HAVE: 1.2.0.</summary>
    Presences = 2,
}

/// <summary>The protocol names of bitswap.</summary>
public static class BitswapProtocols
{
    /// <summary>All that are spoken, best first.</summary>
    public static IReadOnlyList<string> All { get; } = ["/ipfs/bitswap/1.2.0", "/ipfs/bitswap/1.1.0", "/ipfs/bitswap/1.0.0", "/ipfs/bitswap"];

    /// <summary>What a version can say.</summary>
    public static BitswapFeatures FeaturesOf(string protocol) => protocol switch
    {
        "/ipfs/bitswap/1.2.0" => BitswapFeatures.BlockPrefixes | BitswapFeatures.Presences,
        "/ipfs/bitswap/1.1.0" => BitswapFeatures.BlockPrefixes,
        _ => BitswapFeatures.None,
    };
}
