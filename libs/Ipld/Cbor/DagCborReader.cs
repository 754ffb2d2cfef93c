using System.Buffers.Binary;
using System.Text;

namespace Ipld;

/// <summary>What comes next in a DAG-CBOR block.</summary>
public enum DagCborKind
{
    /// <summary>An unsigned or negative integer.</summary>
    Integer,
    /// <summary>Bytes.</summary>
    Bytes,
    /// <summary>UTF-8 text.</summary>
    Text,
    /// <summary>A list; its items follow.</summary>
    List,
    /// <summary>A map; text keys and values follow in turn.</summary>
    Map,
    /// <summary>A CID (tag 42).</summary>
    Link,
    /// <summary>True or false.</summary>
    Boolean,
    /// <summary>Null.</summary>
    Null,
    /// <summary>A 64-bit (or, leniently, shorter) floating-point number.</summary>
    Float,
}

/// <summary>Reads DAG-CBOR item by item. Definite lengths only, tag 42 only, nesting of at most <see cref="MaxDepth"/>.</summary>
public ref struct DagCborReader(ReadOnlySpan<byte> source)
{
    /// <summary>Deepest nesting of lists and maps that is read.</summary>
    public const int MaxDepth = 1024;

    private const int LinkTag = 42;

    private ReadOnlySpan<byte> _left = source;

    /// <summary>All bytes were read.</summary>
    public readonly bool IsAtEnd => _left.IsEmpty;

    /// <summary>The kind of the next item.</summary>
    /// <exception cref="IpldDecodeException">There is none, or DAG-CBOR does not allow it.</exception>
    public readonly DagCborKind Peek()
    {
        if (_left.IsEmpty)
        {
            throw new IpldDecodeException("unexpected EOF");
        }

        return (_left[0] >> 5) switch
        {
            0 or 1 => DagCborKind.Integer,
            2 => DagCborKind.Bytes,
            3 => DagCborKind.Text,
            4 => DagCborKind.List,
            5 => DagCborKind.Map,
            6 => DagCborKind.Link,
            _ => (_left[0] & 0x1f) switch
            {
                20 or 21 => DagCborKind.Boolean,
                22 => DagCborKind.Null,
                25 or 26 or 27 => DagCborKind.Float,
                _ => throw new IpldDecodeException($"unexpected CBOR simple value {_left[0] & 0x1f}"),
            },
        };
    }

    /// <summary>Reads an integer of -2^64 to 2^64-1.</summary>
    public Int128 ReadInteger()
    {
        Expect(DagCborKind.Integer);
        var negative = _left[0] >> 5 == 1;
        var value = ReadHead();
        return negative ? -1 - (Int128)value : value;
    }

    /// <summary>Reads bytes; they point into the source.</summary>
    public ReadOnlySpan<byte> ReadBytes()
    {
        Expect(DagCborKind.Bytes);
        return Take(ReadHead());
    }

    /// <summary>Reads text.</summary>
    public string ReadText()
    {
        Expect(DagCborKind.Text);
        return Encoding.UTF8.GetString(Take(ReadHead()));
    }

    /// <summary>Reads the head of a list and returns how many items follow.</summary>
    public int ReadListHead()
    {
        Expect(DagCborKind.List);
        return ReadCount(1);
    }

    /// <summary>Reads the head of a map and returns how many pairs follow.</summary>
    public int ReadMapHead()
    {
        Expect(DagCborKind.Map);
        return ReadCount(2);
    }

    /// <summary>Reads a link.</summary>
    public Cid ReadLink()
    {
        Expect(DagCborKind.Link);
        var tag = ReadHead();
        if (tag != LinkTag)
        {
            throw new IpldDecodeException($"unhandled cbor tag {tag}");
        }

        var bytes = ReadBytes();
        if (bytes.IsEmpty || bytes[0] != 0)
        {
            throw new IpldDecodeException("invalid multibase on IPLD link");
        }

        return Cid.TryFromBytes(bytes[1..], out var cid, out var error) ? cid : throw new IpldDecodeException(error);
    }

    /// <summary>Reads true or false.</summary>
    public bool ReadBoolean()
    {
        Expect(DagCborKind.Boolean);
        var value = _left[0] == 0xf5;
        _left = _left[1..];
        return value;
    }

    /// <summary>Reads null.</summary>
    public void ReadNull()
    {
        Expect(DagCborKind.Null);
        _left = _left[1..];
    }

    /// <summary>Reads a floating-point number.</summary>
    public double ReadFloat()
    {
        Expect(DagCborKind.Float);
        var width = 1 << ((_left[0] & 0x1f) - 24);
        _left = _left[1..];
        var bytes = Take((ulong)width);
        return width switch
        {
            2 => (double)BinaryPrimitives.ReadHalfBigEndian(bytes),
            4 => BinaryPrimitives.ReadSingleBigEndian(bytes),
            _ => BinaryPrimitives.ReadDoubleBigEndian(bytes),
        };
    }

    /// <summary>Passes over one item and all within, checking it; links found go to <paramref name="links"/>.</summary>
    public void Skip(ICollection<Cid>? links = null) => Skip(links, 0);

    private void Skip(ICollection<Cid>? links, int depth)
    {
        if (depth > MaxDepth)
        {
            throw new IpldDecodeException("CBOR nested too deep");
        }

        switch (Peek())
        {
            case DagCborKind.Integer:
                ReadInteger();
                break;
            case DagCborKind.Bytes:
                ReadBytes();
                break;
            case DagCborKind.Text:
                Expect(DagCborKind.Text);
                Take(ReadHead());
                break;
            case DagCborKind.List:
                for (var count = ReadListHead(); count > 0; count--)
                {
                    Skip(links, depth + 1);
                }

                break;
            case DagCborKind.Map:
                for (var count = ReadMapHead(); count > 0; count--)
                {
                    Expect(DagCborKind.Text);
                    Take(ReadHead());
                    Skip(links, depth + 1);
                }

                break;
            case DagCborKind.Link:
                var link = ReadLink();
                links?.Add(link);
                break;
            case DagCborKind.Float:
                ReadFloat();
                break;
            default:
                _left = _left[1..];
                break;
        }
    }

    private readonly void Expect(DagCborKind kind)
    {
        var actual = Peek();
        if (actual != kind)
        {
            throw new IpldDecodeException($"expected CBOR {kind}, found {actual}");
        }
    }

    // Every item takes a byte at least: a count beyond what is left is a lie and allocates nothing.
    private int ReadCount(int bytesEach)
    {
        var count = ReadHead();
        return count <= (ulong)(_left.Length / bytesEach) ? (int)count : throw new IpldDecodeException("unexpected EOF");
    }

    private ulong ReadHead()
    {
        var info = _left[0] & 0x1f;
        _left = _left[1..];
        if (info < 24)
        {
            return (ulong)info;
        }

        if (info > 27)
        {
            throw new IpldDecodeException("CBOR of indefinite length is not allowed");
        }

        ulong value = 0;
        foreach (var b in Take(1UL << (info - 24)))
        {
            value = (value << 8) | b;
        }

        return value;
    }

    private ReadOnlySpan<byte> Take(ulong length)
    {
        if (length > (ulong)_left.Length)
        {
            throw new IpldDecodeException("unexpected EOF");
        }

        var taken = _left[..(int)length];
        _left = _left[(int)length..];
        return taken;
    }
}
