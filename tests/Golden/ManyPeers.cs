namespace Golden.Tests;

/// <summary>Tests that start several peers run one after the other, beside those of one peer.</summary>
[CollectionDefinition(Name)]
public sealed class ManyPeers
{
    public const string Name = "many peers";
}
