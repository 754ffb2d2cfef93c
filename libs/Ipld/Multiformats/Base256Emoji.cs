using System.Collections.Frozen;
using System.Text;

namespace Ipld;

/// <summary>Base256emoji of the multibase table: one emoji a byte.</summary>
internal static class Base256Emoji
{
    private const string Alphabet =
        "🚀🪐☄🛰🌌🌑🌒🌓🌔🌕🌖🌗🌘🌍🌏🌎🐉☀💻🖥💾💿😂❤😍🤣😊🙏💕😭😘👍" +
        "😅👏😁🔥🥰💔💖💙😢🤔😆🙄💪😉☺👌🤗💜😔😎😇🌹🤦🎉💞✌✨🤷😱😌🌸🙌" +
        "😋💗💚😏💛🙂💓🤩😄😀🖤😃💯🙈👇🎶😒🤭❣😜💋👀😪😑💥🙋😞😩😡🤪👊🥳" +
        "😥🤤👉💃😳✋😚😝😴🌟😬🙃🍀🌷😻😓⭐✅🥺🌈😈🤘💦✔😣🏃💐☹🎊💘😠☝" +
        "😕🌺🎂🌻😐🖕💝🙊😹🗣💫💀👑🎵🤞😛🔴😤🌼😫⚽🤙☕🏆🤫👈😮🙆🍻🍃🐶💁" +
        "😲🌿🧡🎁⚡🌞🎈❌✊👋😰🤨😶🤝🚶💰🍓💢🤟🙁🚨💨🤬✈🎀🍺🤓😙💟🌱😖👶" +
        "🥴▶➡❓💎💸⬇😨🌚🦋😷🕺⚠🙅😟😵👎🤲🤠🤧📌🔵💅🧐🐾🍒😗🤑🌊🤯🐷☎" +
        "💧😯💆👆🎤🙇🍑❄🌴💣🐸💌📍🥀🤢👅💡💩👐📸👻🤐🤮🎼🥵🚩🍎🍊👼💍📣🥂";

    private static readonly Rune[] Runes = [.. Alphabet.EnumerateRunes()];
    private static readonly FrozenDictionary<Rune, byte> Values =
        Runes.Select((rune, i) => KeyValuePair.Create(rune, (byte)i)).ToFrozenDictionary();

    public static string Encode(ReadOnlySpan<byte> data)
    {
        var text = new StringBuilder(data.Length * 2);
        foreach (var b in data)
        {
            text.Append(Runes[b].ToString());
        }

        return text.ToString();
    }

    public static bool TryDecode(ReadOnlySpan<char> text, Span<byte> destination, out int written, out string error)
    {
        written = 0;
        var offset = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            if (!Values.TryGetValue(rune, out var value))
            {
                error = $"illegal base256emoji data at input byte {offset}, char: '{rune}'";
                return false;
            }

            destination[written++] = value;
            offset += rune.Utf8SequenceLength;
        }

        error = "";
        return true;
    }
}
