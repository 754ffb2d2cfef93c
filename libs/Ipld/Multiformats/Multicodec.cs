using System.Collections.Frozen;
using System.Globalization;
using System.Reflection;

namespace Ipld;

/// <summary>Codes of the multicodec table: the codecs that this project itself handles, and the names of all.</summary>
public static class Multicodec
{
    /// <summary>Bytes without a structure.</summary>
    public const ulong Raw = 0x55;

    /// <summary>MerkleDAG protobuf: links and data (<see cref="DagPbNode"/>).</summary>
    public const ulong DagPb = 0x70;

    /// <summary>CBOR with links (<see cref="DagCbor"/>).</summary>
    public const ulong DagCbor = 0x71;

    /// <summary>A libp2p public key, or its hash.</summary>
    public const ulong Libp2pKey = 0x72;

    /// <summary>JSON with links.</summary>
    public const ulong DagJson = 0x0129;

    private static readonly Lazy<FrozenDictionary<ulong, string>> Names = new(ReadTable);

    /// <summary>The table's name of <paramref name="code"/>, or <c>Code(n)</c> where the table has none.</summary>
    public static string NameOf(ulong code) =>
        Names.Value.TryGetValue(code, out var name) ? name : string.Create(CultureInfo.InvariantCulture, $"Code({code})");

    // The names of the public multicodec table (github.com/multiformats/multicodec, table.csv), one "hex name" a line.
    private static FrozenDictionary<ulong, string> ReadTable()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("multicodecs.txt")
            ?? throw new InvalidOperationException("the multicodec table is missing from the assembly");
        using var reader = new StreamReader(stream);
        var names = new Dictionary<ulong, string>();
        while (reader.ReadLine() is { } line)
        {
            var space = line.IndexOf(' ', StringComparison.Ordinal);
            names.Add(ulong.Parse(line.AsSpan(0, space), NumberStyles.HexNumber, CultureInfo.InvariantCulture), line[(space + 1)..]);
        }

        return names.ToFrozenDictionary();
    }
}
