using System.Globalization;

namespace Cluster.Hosting;

/// <summary>Where a service is: a Unix domain socket, or a host and port with or without TLS.</summary>
public abstract record ServiceEndpoint
{
    private ServiceEndpoint()
    {
    }

    /// <summary>Reads <c>unix:PATH</c>, <c>http://HOST:PORT</c>, <c>https://HOST:PORT</c> or <c>HOST:PORT</c>.</summary>
    /// <exception cref="FormatException">The text is none of these.</exception>
    public static ServiceEndpoint Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.StartsWith("unix:", StringComparison.Ordinal))
        {
            var path = text["unix:".Length..];
            if (path.StartsWith("//", StringComparison.Ordinal))
                path = path[2..];
            return path.Length > 0 ? new Socket(Path.GetFullPath(path)) : throw Wrong(text);
        }

        var withScheme = text.Contains("://", StringComparison.Ordinal) ? text : "http://" + text;
        if (!Uri.TryCreate(withScheme, UriKind.Absolute, out var uri)
            || uri.Scheme is not ("http" or "https")
            || uri.PathAndQuery != "/"
            || uri.UserInfo.Length > 0
            || uri.IsDefaultPort && !withScheme.EndsWith(uri.Port.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal))
            throw Wrong(text);
        return new Tcp(uri.IdnHost, uri.Port, uri.Scheme == "https");
    }

    private static FormatException Wrong(string text) =>
        new($"\"{text}\" is not an endpoint: it must be unix:PATH, http://HOST:PORT, https://HOST:PORT or HOST:PORT");

    /// <summary>A Unix domain socket.</summary>
    /// <param name="SocketPath">Its absolute path.</param>
    public sealed record Socket(string SocketPath) : ServiceEndpoint
    {
        /// <inheritdoc/>
        public override string ToString() => "unix:" + SocketPath;
    }

    /// <summary>A TCP port.</summary>
    /// <param name="Host">A name or an address.</param>
    /// <param name="Port">1..65535; 0, to listen on a port of the system's choice.</param>
    /// <param name="Tls">Whether TLS is spoken.</param>
    public sealed record Tcp(string Host, int Port, bool Tls) : ServiceEndpoint
    {
        /// <inheritdoc/>
        public override string ToString() =>
            string.Create(CultureInfo.InvariantCulture, $"{(Tls ? "https" : "http")}://{(Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host)}:{Port}");
    }
}
