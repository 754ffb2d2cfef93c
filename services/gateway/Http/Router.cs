using System.Collections.Frozen;

namespace Cluster.Gateway.Http;

/// <summary>Answers one request.</summary>
public delegate ValueTask RequestHandler(Exchange exchange);

/// <summary>One line of a route table.</summary>
/// <param name="Method">The method, in upper case.</param>
/// <param name="Pattern">Segments are literal, <c>{name}</c> (one non-empty segment), <c>{name:a|b}</c> (one of these) or, last,
/// <c>{name*}</c> (all that is left).</param>
/// <param name="Handler">Who answers.</param>
public sealed record Route(string Method, string Pattern, RequestHandler Handler);

/// <summary>Finds the handler of a decoded path. A path that some route has under another method is "method not allowed", not
/// "not found": the original mixes the two (golden <c>rest/routing</c> marks it as a fault).</summary>
public sealed class Router
{
    private readonly FrozenDictionary<string, Compiled[]>.AlternateLookup<ReadOnlySpan<char>> byFirstSegment;

    /// <summary>Compiles a route table. Of two routes that match, the earlier one is taken.</summary>
    public Router(IEnumerable<Route> routes)
    {
        byFirstSegment = routes.Select(Compiled.From)
            .GroupBy(route => route.Segments[0].Literal ?? throw new ArgumentException("a route begins with a literal segment"))
            .ToFrozenDictionary(group => group.Key, group => group.ToArray(), StringComparer.Ordinal)
            .GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>What became of a lookup.</summary>
    public enum Result
    {
        /// <summary>No route has this path.</summary>
        NotFound,

        /// <summary>The path is known, under other methods.</summary>
        MethodNotAllowed,

        /// <summary>Handler and parameters are set.</summary>
        Found,
    }

    /// <summary>Looks a request up.</summary>
    /// <param name="method">As sent; methods are case-sensitive.</param>
    /// <param name="path">Percent-decoded, beginning with a slash.</param>
    /// <param name="handler">The route's handler when found.</param>
    /// <param name="parameters">Values of the pattern's parameters, in order.</param>
    public Result Find(string method, string path, out RequestHandler? handler, out RouteParameters parameters)
    {
        ArgumentNullException.ThrowIfNull(path);
        handler = null;
        parameters = default;
        if (path.Length < 2 || path[0] != '/') return Result.NotFound;
        ReadOnlySpan<char> first = path.AsSpan(1);
        int slash = first.IndexOf('/');
        if (slash >= 0) first = first[..slash];
        if (!byFirstSegment.TryGetValue(first, out Compiled[]? candidates)) return Result.NotFound;
        bool known = false;
        foreach (Compiled route in candidates)
        {
            if (!route.Matches(path, out RouteParameters found)) continue;
            if (route.Method == method)
            {
                handler = route.Handler;
                parameters = found;
                return Result.Found;
            }

            known = true;
        }

        return known ? Result.MethodNotAllowed : Result.NotFound;
    }

    private sealed record Segment(string? Literal, string[]? Choices, bool Rest);

    private sealed record Compiled(string Method, Segment[] Segments, RequestHandler Handler)
    {
        public static Compiled From(Route route)
        {
            Segment[] segments = route.Pattern.Split('/').Skip(1).Select(text =>
            {
                if (text is not ['{', .., '}']) return new Segment(text, null, false);
                string name = text[1..^1];
                int colon = name.IndexOf(':', StringComparison.Ordinal);
                return new Segment(null, colon < 0 ? null : name[(colon + 1)..].Split('|'), name.EndsWith('*'));
            }).ToArray();
            return new Compiled(route.Method, segments, route.Handler);
        }

        public bool Matches(string path, out RouteParameters parameters)
        {
            parameters = default;
            int at = 1;
            for (int i = 0; i < Segments.Length; i++)
            {
                if (at > path.Length) return false;
                Segment segment = Segments[i];
                int end = segment.Rest ? path.Length : path.IndexOf('/', at);
                if (end < 0) end = path.Length;
                ReadOnlySpan<char> text = path.AsSpan(at, end - at);
                if (segment.Literal is { } literal)
                {
                    if (!text.SequenceEqual(literal)) return false;
                }
                else
                {
                    if (text.IsEmpty) return false;
                    if (segment.Choices is { } choices && !Contains(choices, text)) return false;
                    parameters = parameters.With(text.ToString());
                }

                at = end + 1;
            }

            return at == path.Length + 1;
        }

        private static bool Contains(string[] choices, ReadOnlySpan<char> text)
        {
            foreach (string choice in choices)
                if (text.SequenceEqual(choice)) return true;
            return false;
        }
    }
}

/// <summary>Values of a route's parameters, in the order of the pattern; two at most.</summary>
public readonly record struct RouteParameters(string? First, string? Second)
{
    internal RouteParameters With(string value) => First is null ? new(value, null) : new(First, value);
}
