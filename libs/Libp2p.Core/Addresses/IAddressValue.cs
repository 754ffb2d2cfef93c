namespace Libp2p;

/// <summary>How the value of one multiaddr protocol is written as text and bytes.</summary>
internal interface IAddressValue
{
    /// <summary>Reads the text; on failure <paramref name="error"/> says what is wrong with the value.</summary>
    bool TryParse(string text, out byte[] bytes, out string error);

    /// <summary>Says what is wrong with bytes that came from elsewhere; empty when nothing is.</summary>
    string Validate(ReadOnlySpan<byte> bytes);

    /// <summary>The canonical text of valid bytes.</summary>
    string Format(ReadOnlySpan<byte> bytes);
}
