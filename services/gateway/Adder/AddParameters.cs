using System.Globalization;
using Cluster.Model;

namespace Cluster.Gateway.Adder;

/// <summary>The query of <c>POST /add</c> (<c>spec/rest-api.md</c> section 9.1).</summary>
public sealed record AddParameters
{
    /// <summary>Options of the pin; mode and update of the query count for nothing here.</summary>
    public required PinOptions Options { get; init; }

    /// <summary>Whether a CAR file is imported.</summary>
    public bool Car { get; init; }

    /// <summary>Whether files are laid out as trickle DAGs.</summary>
    public bool Trickle { get; init; }

    /// <summary>As given; checked while adding. Empty = <c>size-262144</c>.</summary>
    public string Chunker { get; init; } = "";

    /// <summary>Name of the multihash, as given; checked while adding.</summary>
    public string Hash { get; init; } = "sha2-256";

    /// <summary>As given; checked while adding.</summary>
    public int CidVersion { get; init; }

    /// <summary>Whether leaves have no UnixFS wrapping.</summary>
    public bool RawLeaves { get; init; }

    /// <summary>Whether all top-level entries are put in a directory without a name.</summary>
    public bool Wrap { get; init; }

    /// <summary>Whether progress objects are put out.</summary>
    public bool Progress { get; init; }

    /// <summary>Whether blocks go only to the contacted peer.</summary>
    public bool Local { get; init; }

    /// <summary>Whether nothing is pinned at the end.</summary>
    public bool NoPin { get; init; }

    /// <summary>Whether the daemon shall refer to files instead of holding their bytes.</summary>
    public bool NoCopy { get; init; }

    /// <summary>Whether the DAG is cut into shards.</summary>
    public bool Shard { get; init; }

    /// <summary>Whether objects stream; otherwise they come as one array at the end.</summary>
    public bool Stream { get; init; } = true;

    /// <summary>Reads a query.</summary>
    /// <param name="query">The query.</param>
    /// <param name="now">What <c>expire-in</c> counts from.</param>
    /// <param name="parameters">What was read.</param>
    /// <param name="error">The first bad parameter, in the original's words.</param>
    public static bool TryParse(GoQuery query, GoTime now, out AddParameters parameters, out string error)
    {
        ArgumentNullException.ThrowIfNull(query);
        parameters = new AddParameters { Options = PinOptions.Default };
        if (!PinOptionsQuery.TryParse(query, now, out PinOptions options, out error)) return false;
        if (query.Get("layout") is not ("" or "balanced" or "trickle")) return Fail("layout parameter is invalid", out error);
        if (query.Get("format") is not ("" or "unixfs" or "car")) return Fail("format parameter is invalid", out error);
        int version = 0;
        if (query.Get("cid-version") is { Length: > 0 } text && !int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out version))
            return Fail("parameter cid-version invalid", out error);
        var flags = new Dictionary<string, bool>(StringComparer.Ordinal);
        foreach ((string name, bool absent) in ((string, bool)[])[
            ("raw-leaves", version > 0), ("local", false), ("recursive", false), ("hidden", false), ("wrap-with-directory", false),
            ("shard", false), ("progress", false), ("stream-channels", true), ("nocopy", false), ("no-pin", false)])
        {
            if (ParseFlag(query.Get(name), absent) is not { } flag) return Fail($"parameter {name} invalid", out error);
            flags[name] = flag;
        }

        parameters = new AddParameters
        {
            Options = options with { Mode = PinMode.Recursive, PinUpdate = default },
            Car = query.Get("format") == "car",
            Trickle = query.Get("layout") == "trickle",
            Chunker = query.Get("chunker"),
            Hash = query.Get("hash") is { Length: > 0 } hash ? hash : "sha2-256",
            CidVersion = version,
            RawLeaves = flags["raw-leaves"],
            Wrap = flags["wrap-with-directory"],
            Progress = flags["progress"],
            Local = flags["local"],
            NoPin = flags["no-pin"],
            NoCopy = flags["nocopy"],
            Shard = flags["shard"],
            Stream = flags["stream-channels"],
        };
        return true;
    }

    /// <summary>The values that Go's <c>ParseBool</c> takes; an empty one is as good as absent.</summary>
    private static bool? ParseFlag(string text, bool absent) => text switch
    {
        "" => absent,
        "1" or "t" or "T" or "TRUE" or "true" or "True" => true,
        "0" or "f" or "F" or "FALSE" or "false" or "False" => false,
        _ => null,
    };

    private static bool Fail(string text, out string error)
    {
        error = text;
        return false;
    }
}
