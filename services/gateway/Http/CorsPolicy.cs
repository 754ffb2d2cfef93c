using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Cluster.Gateway.Http;

/// <summary>The CORS keys of a section of <c>service.json</c>.</summary>
/// <param name="AllowedOrigins">Empty or <c>*</c> = any; an entry may contain one <c>*</c>.</param>
/// <param name="AllowedMethods">Empty = GET, POST and HEAD.</param>
/// <param name="AllowedHeaders">Empty = accept, content-type and x-requested-with; <c>*</c> = any.</param>
/// <param name="ExposedHeaders">Sent with actual requests.</param>
/// <param name="AllowCredentials">Whether browsers may send credentials.</param>
/// <param name="MaxAge">How long a preflight may be kept; whole seconds count, zero leaves the header out.</param>
public sealed record CorsSettings(
    IReadOnlyList<string> AllowedOrigins,
    IReadOnlyList<string> AllowedMethods,
    IReadOnlyList<string> AllowedHeaders,
    IReadOnlyList<string> ExposedHeaders,
    bool AllowCredentials,
    TimeSpan MaxAge);

/// <summary>Cross-origin rules of <c>spec/rest-api.md</c> section 4.</summary>
public sealed class CorsPolicy
{
    private const int MostEmptyElements = 16;
    private const string PreflightVary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";

    private readonly bool anyOrigin;
    private readonly HashSet<string> origins = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<(string Prefix, string Suffix)> wildcards = [];
    private readonly HashSet<string> methods;
    private readonly bool anyHeader;
    private readonly List<string> headers;
    private readonly string exposed;
    private readonly bool credentials;
    private readonly string? maxAge;

    /// <summary>Prepares the rules.</summary>
    public CorsPolicy(CorsSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        anyOrigin = settings.AllowedOrigins.Count == 0;
        foreach (string origin in settings.AllowedOrigins)
        {
            int star = origin.IndexOf('*', StringComparison.Ordinal);
            if (origin == "*") anyOrigin = true;
            else if (star >= 0) wildcards.Add((origin[..star], origin[(star + 1)..]));
            else origins.Add(origin);
        }

        methods = settings.AllowedMethods.Count == 0
            ? ["GET", "POST", "HEAD"]
            : settings.AllowedMethods.Select(method => method.ToUpperInvariant()).ToHashSet(StringComparer.Ordinal);
        anyHeader = settings.AllowedHeaders.Contains("*");
        headers = settings.AllowedHeaders.Count == 0
            ? ["accept", "content-type", "x-requested-with"]
            : settings.AllowedHeaders.Select(header => header.ToLowerInvariant()).Distinct().Order(StringComparer.Ordinal).ToList();
        exposed = string.Join(", ", settings.ExposedHeaders);
        credentials = settings.AllowCredentials;
        maxAge = settings.MaxAge >= TimeSpan.FromSeconds(1) ? ((long)settings.MaxAge.TotalSeconds).ToString(CultureInfo.InvariantCulture) : null;
    }

    /// <summary>Whether a request is a preflight, which is answered without any route being asked.</summary>
    public static bool IsPreflight(string method, IHeaderDictionary request) =>
        method == "OPTIONS" && !StringValues.IsNullOrEmpty(request.AccessControlRequestMethod);

    /// <summary>Sets the headers of a preflight's answer.</summary>
    public void AnswerPreflight(IHeaderDictionary request, IHeaderDictionary response)
    {
        response.Vary = PreflightVary;
        string origin = request.Origin.ToString();
        string method = request.AccessControlRequestMethod.ToString();
        StringValues wanted = request.AccessControlRequestHeaders;
        if (!IsAllowedOrigin(origin) || !IsAllowedMethod(method) || !AreAllowedHeaders(wanted)) return;
        response.AccessControlAllowOrigin = anyOrigin ? "*" : origin;
        response.AccessControlAllowMethods = method;
        if (!StringValues.IsNullOrEmpty(wanted)) response.AccessControlAllowHeaders = wanted;
        if (credentials) response.AccessControlAllowCredentials = "true";
        if (maxAge is not null) response.AccessControlMaxAge = maxAge;
    }

    /// <summary>Sets the headers of an actual request's answer, whatever the answer will be.</summary>
    public void Decorate(string method, IHeaderDictionary request, IHeaderDictionary response)
    {
        response.Vary = "Origin";
        StringValues sent = request.Origin;
        if (sent.Count == 0) return;
        string origin = sent.ToString();
        if (!IsAllowedOrigin(origin) || !IsAllowedMethod(method)) return;
        response.AccessControlAllowOrigin = anyOrigin ? "*" : origin;
        if (exposed.Length > 0) response.AccessControlExposeHeaders = exposed;
        if (credentials) response.AccessControlAllowCredentials = "true";
    }

    private bool IsAllowedOrigin(string origin)
    {
        if (origin.Length == 0) return false;
        if (anyOrigin || origins.Contains(origin)) return true;
        foreach ((string prefix, string suffix) in wildcards)
        {
            if (origin.Length >= prefix.Length + suffix.Length &&
                origin.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) &&
                origin.EndsWith(suffix, StringComparison.OrdinalIgnoreCase)) return true;
        }

        return false;
    }

    private bool IsAllowedMethod(string method) => method == "OPTIONS" || methods.Contains(method);

    /// <summary>Browsers send the list in lower case and sorted; anything else did not come from one and is refused.</summary>
    private bool AreAllowedHeaders(StringValues lists)
    {
        if (anyHeader) return true;
        int last = -1, empty = 0;
        foreach (string? list in lists)
        {
            foreach (Range range in list.AsSpan().Split(','))
            {
                ReadOnlySpan<char> name = list.AsSpan(range).Trim(" \t");
                if (name.IsEmpty)
                {
                    if (list!.Length > 0 && ++empty > MostEmptyElements) return false;
                    continue;
                }

                int found = -1;
                for (int i = last + 1; i < headers.Count && found < 0; i++)
                    if (name.SequenceEqual(headers[i])) found = i;
                if (found < 0) return false;
                last = found;
            }
        }

        return true;
    }
}
