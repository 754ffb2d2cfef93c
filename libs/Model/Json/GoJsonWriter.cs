using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Unicode;
using Ipld;
using Libp2p;

namespace Cluster.Model;

/// <summary>
/// Writes JSON byte for byte as Go's <c>encoding/json</c> does: no spaces, fields in the order given, <c>&lt; &gt; &amp;</c> and
/// U+2028/9 escaped (spec/rest-api.md 5.3). Writes straight into the buffer writer's memory; call <see cref="Flush"/> at the end.
/// </summary>
public ref struct GoJsonWriter
{
    private const int Chunk = 4096;

    // What may stand in a JSON string as it is, among ASCII.
    private static readonly SearchValues<char> Plain = SearchValues.Create(
        Enumerable.Range(0x20, 0x60).Select(c => (char)c).Where(c => !"\"\\<>&".Contains(c, StringComparison.Ordinal)).ToArray());

    private readonly IBufferWriter<byte> _output;
    private Span<byte> _buffer;
    private int _used;

    public GoJsonWriter(IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        _output = output;
        _buffer = output.GetSpan(Chunk);
        _used = 0;
    }

    /// <summary>Hands what was written to the buffer writer.</summary>
    public void Flush()
    {
        _output.Advance(_used);
        _buffer = default;
        _used = 0;
    }

    /// <summary>Writes bytes as they are: punctuation and field names, for example <c>"{\"cid\":"u8</c>.</summary>
    public void Raw(scoped ReadOnlySpan<byte> utf8)
    {
        utf8.CopyTo(Room(utf8.Length));
        _used += utf8.Length;
    }

    public void Raw(byte octet)
    {
        Room(1)[0] = octet;
        _used++;
    }

    public void Null() => Raw("null"u8);

    public void Boolean(bool value) => Raw(value ? "true"u8 : "false"u8);

    public void Number(long value)
    {
        Utf8Formatter.TryFormat(value, Room(20), out var written);
        _used += written;
    }

    public void Number(ulong value)
    {
        Utf8Formatter.TryFormat(value, Room(20), out var written);
        _used += written;
    }

    /// <summary>The shortest text that reads back as the same number; an exponent below 1e-6 and from 1e21 on.</summary>
    public void Number(double value)
    {
        if (!double.IsFinite(value))
            throw new ArgumentException("JSON has no infinite numbers", nameof(value));
        Raw(Encoding.ASCII.GetBytes(GoFloat.ToText(value)));
    }

    public void String(scoped ReadOnlySpan<char> text)
    {
        Raw((byte)'"');
        while (!text.IsEmpty)
        {
            var plain = text.IndexOfAnyExcept(Plain);
            if (plain < 0)
                plain = text.Length;
            if (plain > 0)
            {
                var run = text[..Math.Min(plain, Chunk)];
                Ascii.FromUtf16(run, Room(run.Length), out var written);
                _used += written;
                text = text[written..];
                continue;
            }

            text = text[Escape(text)..];
        }

        Raw((byte)'"');
    }

    /// <summary>A string whose bytes need no escapes, such as a CID's text.</summary>
    public void PlainString(scoped ReadOnlySpan<byte> ascii)
    {
        var room = Room(ascii.Length + 2);
        room[0] = (byte)'"';
        ascii.CopyTo(room[1..]);
        room[ascii.Length + 1] = (byte)'"';
        _used += ascii.Length + 2;
    }

    /// <summary>The CID's text; <c>null</c> when undefined.</summary>
    public void Cid(in Cid cid)
    {
        if (!cid.IsDefined)
        {
            Null();
            return;
        }

        AsciiString(cid.ToString());
    }

    /// <summary>The peer id's text; an empty string when undefined.</summary>
    public void PeerId(in PeerId peer) => PlainString(PeerIdText.Of(peer));

    public void Time(in GoTime time)
    {
        var room = Room(GoTime.MaxTextLength + 2);
        room[0] = (byte)'"';
        time.TryFormat(room[1..], out var length);
        room[length + 1] = (byte)'"';
        _used += length + 2;
    }

    public void PeerIds(IReadOnlyList<PeerId>? peers)
    {
        if (peers is null)
        {
            Null();
            return;
        }

        Raw((byte)'[');
        for (var i = 0; i < peers.Count; i++)
        {
            if (i > 0)
                Raw((byte)',');
            PeerId(peers[i]);
        }

        Raw((byte)']');
    }

    public void Multiaddrs(IReadOnlyList<Multiaddr>? addresses)
    {
        if (addresses is null)
        {
            Null();
            return;
        }

        Raw((byte)'[');
        for (var i = 0; i < addresses.Count; i++)
        {
            if (i > 0)
                Raw((byte)',');
            String(addresses[i].ToString());
        }

        Raw((byte)']');
    }

    public void Strings(IReadOnlyList<string>? texts)
    {
        if (texts is null)
        {
            Null();
            return;
        }

        Raw((byte)'[');
        for (var i = 0; i < texts.Count; i++)
        {
            if (i > 0)
                Raw((byte)',');
            String(texts[i]);
        }

        Raw((byte)']');
    }

    public void Map(Metadata? map)
    {
        if (map is null)
        {
            Null();
            return;
        }

        Raw((byte)'{');
        var first = true;
        foreach (ref readonly var entry in map.Entries)
        {
            if (!first)
                Raw((byte)',');
            first = false;
            String(entry.Key);
            Raw((byte)':');
            String(entry.Value);
        }

        Raw((byte)'}');
    }

    private void AsciiString(string text)
    {
        var room = Room(text.Length + 2);
        room[0] = (byte)'"';
        Ascii.FromUtf16(text, room[1..], out var written);
        room[written + 1] = (byte)'"';
        _used += written + 2;
    }

    private int Escape(scoped ReadOnlySpan<char> text)
    {
        var c = text[0];
        switch (c)
        {
            case '"': Raw("\\\""u8); return 1;
            case '\\': Raw("\\\\"u8); return 1;
            case '\b': Raw("\\b"u8); return 1;
            case '\f': Raw("\\f"u8); return 1;
            case '\n': Raw("\\n"u8); return 1;
            case '\r': Raw("\\r"u8); return 1;
            case '\t': Raw("\\t"u8); return 1;
            case < ' ' or '<' or '>' or '&' or '\u2028' or '\u2029':
                Raw("\\u"u8);
                ((int)c).TryFormat(Room(4), out var written, "x4", CultureInfo.InvariantCulture);
                _used += written;
                return 1;
        }

        // A run beyond ASCII: up to the next character that needs a decision.
        var end = 1;
        while (end < text.Length && end < Chunk / 3 && text[end] >= 0x80 && text[end] is not ('\u2028' or '\u2029'))
            end++;
        if (end < text.Length && end > 1 && char.IsHighSurrogate(text[end - 1]))
            end--;
        Utf8.FromUtf16(text[..end], Room(end * 3), out var read, out var bytes, replaceInvalidSequences: true, isFinalBlock: true);
        _used += bytes;
        return read;
    }

    private Span<byte> Room(int size)
    {
        if (_buffer.Length - _used < size)
        {
            _output.Advance(_used);
            _buffer = _output.GetSpan(Math.Max(size, Chunk));
            _used = 0;
        }

        return _buffer[_used..];
    }
}
