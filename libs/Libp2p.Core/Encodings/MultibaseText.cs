namespace Libp2p.Encodings;

/// <summary>Self-describing text: the first character names the alphabet.</summary>
internal static class MultibaseText
{
    public static bool TryDecode(ReadOnlySpan<char> text, out byte[] bytes, out string error)
    {
        bytes = [];
        error = "";
        if (text.IsEmpty)
        {
            error = "the text is empty";
            return false;
        }
        var rest = text[1..];
        bool ok;
        switch (text[0])
        {
            case 'f' or 'F': ok = BaseN.Hex.TryDecode(rest, out bytes); break;
            case 'b' or 'B': ok = BaseN.Base32.TryDecode(rest, out bytes); break;
            case 'k' or 'K': ok = Radix.Base36.TryDecode(rest, out bytes); break;
            case 'z': ok = Radix.Base58.TryDecode(rest, out bytes); break;
            case 'm': ok = BaseN.Base64.TryDecode(rest, out bytes); break;
            case 'M': ok = BaseN.Base64.TryDecode(rest.TrimEnd('='), out bytes); break;
            case 'u': ok = BaseN.Base64Url.TryDecode(rest, out bytes); break;
            case 'U': ok = BaseN.Base64Url.TryDecode(rest.TrimEnd('='), out bytes); break;
            default:
                error = $"'{text[0]}' names no known base";
                return false;
        }
        if (!ok) error = $"a character does not belong to the base '{text[0]}'";
        return ok;
    }
}
