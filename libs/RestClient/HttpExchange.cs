using System.Globalization;
using System.Text;

namespace Cluster.RestClient;

/// <summary>
/// One HTTP/1.1 request and its answer over one connection. The answer is read while the body is still being sent: the API answers an
/// upload as it arrives, and a client that first finishes sending would block it.
/// </summary>
internal static class HttpExchange
{
    private const int MostRedirects = 10;

    /// <summary>Sends a request and follows redirects.</summary>
    /// <param name="endpoint">Where to.</param>
    /// <param name="request">What to send.</param>
    /// <param name="elsewhere">Finds the endpoint of another host; null stays with this one, so that credentials do.</param>
    /// <param name="cancel">Ends the exchange.</param>
    /// <exception cref="IOException">No answer was obtained; the text says why, in Go's words.</exception>
    public static async Task<HttpResponse> SendAsync(
        RestEndpoint endpoint, HttpRequest request, Func<Uri, RestEndpoint>? elsewhere, CancellationToken cancel)
    {
        for (var redirects = 0; ; redirects++)
        {
            var response = await SendOnceAsync(endpoint, request, cancel);
            if (response.Status is not (301 or 302 or 303 or 307 or 308) || response.Header("Location") is not { Length: > 0 } location)
                return response;
            await response.DisposeAsync();
            if (redirects == MostRedirects)
                throw new IOException("stopped after 10 redirects");
            var target = location;
            if (!location.StartsWith('/'))
            {
                if (!Uri.TryCreate(location, UriKind.Absolute, out var url))
                    throw new IOException($"failed to parse Location header \"{location}\"");
                target = url.PathAndQuery;
                endpoint = elsewhere is null ? endpoint : elsewhere(url);
            }

            // As browsers do: a POST is repeated as a GET, but for 307 and 308.
            request = response.Status is 307 or 308 ? request with { Target = target } : new HttpRequest("GET", target) { Headers = request.Headers };
        }
    }

    private static async Task<HttpResponse> SendOnceAsync(RestEndpoint endpoint, HttpRequest request, CancellationToken cancel)
    {
        var connection = await endpoint.Dial(cancel);
        var sending = new CancellationTokenSource();
        try
        {
            await connection.WriteAsync(Encoding.UTF8.GetBytes(Head(endpoint, request)), cancel);
            await connection.FlushAsync(cancel);
            var body = request.Body is null ? Task.CompletedTask : SendBodyAsync(connection, request.Body, sending.Token);
            var reader = new LineReader(connection);
            var answer = ReadHeadAsync(reader, connection, cancel);
            if (await Task.WhenAny(body, answer) == body)
                await body; // a body that cannot be made is the better explanation, unless there is an answer already
            var response = await answer;
            if (!body.IsCompletedSuccessfully)
                response.Sending = new SendingBody(sending, WatchAsync(body, response.Body, connection));
            return response;
        }
        catch
        {
            await sending.CancelAsync();
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>A body that cannot be made to its end ends the answer too: the other side would wait for the rest, and we for it.</summary>
    private static async Task WatchAsync(Task body, ResponseBody answer, Stream connection)
    {
        try
        {
            await body;
        }
        catch (Exception e)
        {
            answer.Fail(e);
            await connection.DisposeAsync();
        }
    }

    private static string Head(RestEndpoint endpoint, HttpRequest request)
    {
        var head = new StringBuilder();
        var target = endpoint.NeedsAbsoluteTarget ? $"{endpoint.Scheme}://{endpoint.Authority}{request.Target}" : request.Target;
        head.Append(request.Method).Append(' ').Append(Escaped(target)).Append(" HTTP/1.1\r\nHost: ").Append(endpoint.Authority);
        head.Append("\r\nUser-Agent: ipfs-cluster-ctl/1.1.6\r\n");
        if (endpoint.ProxyAuthorization is not null)
            head.Append("Proxy-Authorization: ").Append(endpoint.ProxyAuthorization).Append("\r\n");
        foreach (var (name, value) in request.Headers)
            head.Append(name).Append(": ").Append(value).Append("\r\n");
        if (request.Body is not null)
            head.Append("Content-Type: ").Append(request.ContentType).Append("\r\nTransfer-Encoding: chunked\r\n");
        else if (request.Method == "POST")
            head.Append("Content-Length: 0\r\n");
        return head.Append("Connection: close\r\n\r\n").ToString();
    }

    // Paths go out as the user gave them, but for what would break the request line.
    private static string Escaped(string target)
    {
        if (!target.Any(c => c <= ' ' || c >= 0x7f))
            return target;
        var escaped = new StringBuilder();
        foreach (var octet in Encoding.UTF8.GetBytes(target))
        {
            if (octet is > (byte)' ' and < 0x7f)
                escaped.Append((char)octet);
            else
                escaped.Append('%').Append(octet.ToString("X2", CultureInfo.InvariantCulture));
        }

        return escaped.ToString();
    }

    private static async Task SendBodyAsync(Stream connection, Func<Stream, CancellationToken, Task> body, CancellationToken cancel)
    {
        var writer = new ChunkedWriter(connection);
        try
        {
            await body(writer, cancel);
            await writer.CompleteAsync(cancel);
        }
        catch (IOException) when (writer.IsBroken)
        {
            // The peer closed its side while it was being written to: what it answered says why, and is read by the other half.
            await Task.Yield();
        }
    }

    private static async Task<HttpResponse> ReadHeadAsync(LineReader reader, Stream connection, CancellationToken cancel)
    {
        while (true)
        {
            var parts = (await reader.ReadLineAsync(cancel)).Split(' ', 3);
            if (parts.Length < 2 || !parts[0].StartsWith("HTTP/1.", StringComparison.Ordinal)
                || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var status))
            {
                throw new IOException($"malformed HTTP response \"{string.Join(' ', parts)}\"");
            }

            var headers = new List<(string Name, string Value)>();
            string line;
            while ((line = await reader.ReadLineAsync(cancel)).Length > 0)
            {
                var colon = line.IndexOf(':', StringComparison.Ordinal);
                if (colon > 0)
                    headers.Add((line[..colon].Trim(), line[(colon + 1)..].Trim()));
            }

            if (status is >= 100 and < 200)
                continue; // 100 Continue
            return new HttpResponse(status, headers, BodyOf(reader, status, headers), connection);
        }
    }

    private static ResponseBody BodyOf(LineReader reader, int status, List<(string Name, string Value)> headers)
    {
        if (status is 204 or 304)
            return new ResponseBody(reader, chunked: false, length: 0);
        var chunked = headers.Exists(h => h.Name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase)
            && h.Value.EndsWith("chunked", StringComparison.OrdinalIgnoreCase));
        var length = headers.Find(h => h.Name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase)).Value;
        return new ResponseBody(
            reader, chunked, !chunked && long.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null);
    }
}
