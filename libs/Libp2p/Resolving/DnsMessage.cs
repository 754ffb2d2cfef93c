using System.Buffers.Binary;
using System.Text;

namespace Libp2p.Resolving;

/// <summary>Just enough of DNS (RFC 1035, EDNS of RFC 6891) to ask for text records.</summary>
internal static class DnsMessage
{
    /// <summary>Size of answer that is offered to the server.</summary>
    public const int MaxUdp = 4096;

    private const int HeaderSize = 12;
    private const ushort TypeText = 16;
    private const ushort TypeOpt = 41;
    private const ushort ClassInternet = 1;
    private const int MaxRecords = 256;

    public static byte[] TextQuery(ushort id, string name)
    {
        var bytes = new List<byte>();
        void Add(ushort value)
        {
            bytes.Add((byte)(value >> 8));
            bytes.Add((byte)value);
        }

        Add(id);
        // Recursion desired; one question, one additional record.
        foreach (ushort value in (ReadOnlySpan<ushort>)[0x0100, 1, 0, 0, 1]) Add(value);
        foreach (string label in name.TrimEnd('.').Split('.'))
        {
            byte[] text = Encoding.UTF8.GetBytes(label);
            if (text.Length is 0 or > 63) throw new ArgumentException($"\"{name}\" is no DNS name.", nameof(name));
            bytes.Add((byte)text.Length);
            bytes.AddRange(text);
        }
        bytes.Add(0);
        Add(TypeText);
        Add(ClassInternet);
        bytes.Add(0);
        Add(TypeOpt);
        Add(MaxUdp);
        bytes.AddRange(new byte[6]);
        return [.. bytes];
    }

    /// <summary>Reads an answer; false if it is none to the question, or damaged.</summary>
    public static bool TryReadTexts(ReadOnlySpan<byte> message, ushort id, string name, out List<string> texts)
    {
        texts = [];
        if (message.Length < HeaderSize || BinaryPrimitives.ReadUInt16BigEndian(message) != id || (message[2] & 0x80) == 0) return false;
        int questions = BinaryPrimitives.ReadUInt16BigEndian(message[4..]);
        int answers = BinaryPrimitives.ReadUInt16BigEndian(message[6..]);
        if (questions != 1 || answers > MaxRecords) return false;
        int at = HeaderSize;
        if (!TrySkipName(message, ref at) || at + 4 > message.Length) return false;
        at += 4;
        for (int i = 0; i < answers; i++)
        {
            if (!TrySkipName(message, ref at) || at + 10 > message.Length) return false;
            ushort type = BinaryPrimitives.ReadUInt16BigEndian(message[at..]);
            int length = BinaryPrimitives.ReadUInt16BigEndian(message[(at + 8)..]);
            at += 10;
            if (at + length > message.Length) return false;
            if (type == TypeText) texts.Add(ReadText(message.Slice(at, length)));
            at += length;
        }
        return true;
    }

    // A record's strings belong together: longer texts are cut into pieces of 255 bytes.
    private static string ReadText(ReadOnlySpan<byte> data)
    {
        var text = new StringBuilder();
        while (!data.IsEmpty)
        {
            int n = Math.Min(data[0], data.Length - 1);
            text.Append(Encoding.UTF8.GetString(data.Slice(1, n)));
            data = data[(1 + n)..];
        }
        return text.ToString();
    }

    private static bool TrySkipName(ReadOnlySpan<byte> message, ref int at)
    {
        while (at < message.Length)
        {
            byte length = message[at];
            if (length == 0)
            {
                at++;
                return true;
            }
            // A pointer ends the name.
            if ((length & 0xc0) == 0xc0)
            {
                at += 2;
                return at <= message.Length;
            }
            if ((length & 0xc0) != 0) return false;
            at += 1 + length;
        }
        return false;
    }
}
