using System.Text;
using System.Text.Json.Nodes;

namespace Ipld.Tests.Import;

/// <summary>The content that a golden vector names (golden/kubo/README.md, UnixFS vectors), made while it is read.</summary>
internal sealed class GeneratedContent : Stream
{
    private readonly long _size;
    private readonly Func<byte> _next;
    private readonly Func<int, int> _fragment;
    private long _position;

    private GeneratedContent(long size, Func<byte> next, Func<int, int>? fragment)
    {
        _size = size;
        _next = next;
        _fragment = fragment ?? (wanted => wanted);
    }

    public static GeneratedContent Of(JsonObject content, Func<int, int>? fragment = null)
    {
        var size = (long)content["size"]!;
        var i = 0L;
        switch ((string)content["kind"]!)
        {
            case "zeros":
                return new GeneratedContent(size, () => 0, fragment);
            case "counter":
                return new GeneratedContent(size, () => (byte)i++, fragment);
            case "text":
                return new GeneratedContent(size, Text(), fragment);
            case "string":
                var text = Encoding.UTF8.GetBytes((string)content["text"]!);
                return new GeneratedContent(text.Length, () => text[i++], fragment);
            case "random":
                return new GeneratedContent(size, Random((long)content["seed"]!), fragment);
            default:
                throw new NotSupportedException($"content of kind {content["kind"]}");
        }
    }

    public static Func<byte> Random(long seed)
    {
        var x = unchecked((uint)((ulong)seed * 2654435761 + 1));
        x = x == 0 ? 1 : x;
        var left = 0;
        return () =>
        {
            if (left == 0)
            {
                x ^= x << 13;
                x ^= x >> 17;
                x ^= x << 5;
                left = 4;
            }

            return (byte)(x >> (8 * (4 - left--)));
        };
    }

    public static byte[] RandomBytes(long seed, int size)
    {
        var next = Random(seed);
        var bytes = new byte[size];
        for (var i = 0; i < size; i++)
        {
            bytes[i] = next();
        }

        return bytes;
    }

    private static Func<byte> Text()
    {
        var line = "";
        var number = 0;
        var at = 0;
        return () =>
        {
            if (at == line.Length)
            {
                line = $"line {number++:D7}\n";
                at = 0;
            }

            return (byte)line[at++];
        };
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => _size;

    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        var take = (int)Math.Min(_size - _position, count);
        take = take == 0 ? 0 : Math.Clamp(_fragment(take), 1, take);
        for (var i = 0; i < take; i++)
        {
            buffer[offset + i] = _next();
        }

        _position += take;
        return take;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
