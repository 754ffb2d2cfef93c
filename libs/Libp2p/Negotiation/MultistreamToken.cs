using System.Buffers;
using System.Text;
using Libp2p.Encodings;

namespace Libp2p.Negotiation;

/// <summary>One message of multistream-select: length, text, line feed (spec/libp2p.md, section 3).</summary>
internal static class MultistreamToken
{
    /// <summary>Largest length field that is accepted; the text is one byte shorter.</summary>
    public const int MaxLength = 1024;

    private static readonly Encoding Text = Encoding.Latin1;

    public static int Write(string text, Span<byte> destination)
    {
        int n = UVarint.Write(destination, (ulong)text.Length + 1);
        n += Text.GetBytes(text, destination[n..]);
        destination[n++] = (byte)'\n';
        return n;
    }

    public static int Size(string text) => UVarint.Length((ulong)text.Length + 1) + text.Length + 1;

    public static byte[] Encode(params ReadOnlySpan<string> texts)
    {
        int size = 0;
        foreach (string text in texts) size += Size(text);
        var bytes = new byte[size];
        int n = 0;
        foreach (string text in texts) n += Write(text, bytes.AsSpan(n));
        return bytes;
    }

    /// <summary>Takes one message from the start of the buffer; false when it is not complete yet.</summary>
    /// <exception cref="NegotiationException">What is there can never become a message.</exception>
    public static bool TryRead(ref ReadOnlySequence<byte> buffer, out string text)
    {
        text = "";
        Span<byte> head = stackalloc byte[2];
        int held = (int)Math.Min(2, buffer.Length);
        buffer.Slice(0, held).CopyTo(head);
        if (!TryReadLength(head[..held], out int length, out int consumed)) return false;
        if (buffer.Length < consumed + length) return false;
        var body = buffer.Slice(consumed, length);
        text = Body(body.IsSingleSegment ? body.FirstSpan : body.ToArray());
        buffer = buffer.Slice(consumed + length);
        return true;
    }

    /// <summary>Reads the length field; false when more bytes are due.</summary>
    public static bool TryReadLength(ReadOnlySpan<byte> head, out int length, out int consumed)
    {
        length = 0;
        consumed = 0;
        if (head.IsEmpty || head.Length == 1 && head[0] >= 0x80) return false;
        // Two bytes hold every length up to 1024; a third means too large.
        if (head[0] >= 0x80 && head[1] >= 0x80) throw TooLarge();
        if (UVarint.Read(head, out ulong value, out consumed) != UVarint.Status.Ok)
            throw new NegotiationException("The peer sent a multistream length that is not minimally encoded.");
        if (value > MaxLength) throw TooLarge();
        if (value == 0) throw new NegotiationException("The peer sent a multistream message without a line feed at its end.");
        length = (int)value;
        return true;
    }

    public static string Body(ReadOnlySpan<byte> body) => body[^1] == '\n'
        ? Text.GetString(body[..^1])
        : throw new NegotiationException("The peer sent a multistream message without a line feed at its end.");

    private static NegotiationException TooLarge() =>
        new($"The peer sent a multistream message of more than {MaxLength} bytes; it may not speak this protocol at all.");
}
