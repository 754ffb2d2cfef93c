using System.Globalization;
using System.Text;
using System.Text.Json;

namespace FakeDaemon;

/// <summary>A request and its answer as <c>golden/kubo/rpc</c> has them (format: the README there).</summary>
public sealed class RecordedExchange
{
    private readonly JsonElement _request;
    private readonly JsonElement _response;
    private readonly JsonElement _file;

    /// <param name="exchange">An entry of <c>exchanges</c>.</param>
    /// <param name="file">The whole file, for its header sets.</param>
    public RecordedExchange(JsonElement exchange, JsonElement file)
    {
        _request = exchange.GetProperty("request");
        _response = exchange.GetProperty("response");
        _file = file;
    }

    /// <summary>The request's method.</summary>
    public string Method => _request.GetProperty("method").GetString()!;

    /// <summary>The request's target.</summary>
    public string Target => _request.GetProperty("target").GetString()!;

    /// <summary>See <see cref="ReceivedRequest.Meaning"/>.</summary>
    public string Meaning => ReceivedRequest.MeaningOf(Method, Target);

    /// <summary>The request's headers in order.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> RequestHeaders => Headers(_request);

    /// <summary>The request's body; null when the record holds only its hash.</summary>
    public byte[]? RequestBody => _request.TryGetProperty("body", out var body) ? Bytes(body) : [];

    /// <summary>The status, or null when no answer came.</summary>
    public int? Status => _response.TryGetProperty("status", out var status) ? status.GetInt32() : null;

    /// <summary>The late error of the answer's trailer, or null.</summary>
    public string? LateError =>
        _response.TryGetProperty("trailers", out var trailers)
            ? trailers.EnumerateArray().Where(pair => pair[0].GetString() == "X-Stream-Error").Select(pair => pair[1].GetString()).FirstOrDefault()
            : null;

    /// <summary>The answer's body as text; null when the record holds only its hash.</summary>
    public string? BodyText
    {
        get
        {
            var text = new StringBuilder();
            foreach (var (piece, _) in Pieces())
            {
                if (piece == null)
                    return null;
                text.Append(Encoding.UTF8.GetString(piece));
            }
            return text.ToString();
        }
    }

    /// <summary>The answer as steps of a <see cref="Daemon"/>; null when the record does not hold all its bytes.</summary>
    /// <param name="speed">Pauses are divided by this.</param>
    public IReadOnlyList<Step>? Answer(double speed = 1)
    {
        if (Status == null)
            return [new Step.Reset()];
        var steps = new List<Step>();
        Pause(steps, _response, "first_byte_ms", speed);
        var pieces = Pieces();
        if (pieces.Any(piece => piece.Bytes == null))
            return null;
        steps.Add(Step.Text(Head(pieces.Sum(piece => piece.Bytes!.Length))));
        var chunked = Framing == "chunked";
        foreach (var (bytes, delay) in pieces)
        {
            if (delay > 0)
                steps.Add(new Step.Pause(TimeSpan.FromMilliseconds(delay / speed)));
            if (chunked)
                steps.Add(Step.Text(string.Create(CultureInfo.InvariantCulture, $"{bytes!.Length:x}\r\n")));
            steps.Add(new Step.Send(bytes));
            if (chunked)
                steps.Add(Step.Text("\r\n"));
        }
        if (_response.TryGetProperty("end", out _))
            return [.. steps, new Step.Close()];
        Pause(steps, _response, "end_delay_ms", speed);
        if (chunked)
            steps.Add(Step.Text("0\r\n" + string.Concat(Trailers.Select(pair => $"{pair.Key}: {pair.Value}\r\n")) + "\r\n"));
        if (Framing == "close" || Headers(_response).Any(pair => pair.Key == "Connection" && pair.Value == "close"))
            steps.Add(new Step.Close());
        return steps;
    }

    private string Framing => _response.GetProperty("framing").GetString()!;

    private IEnumerable<KeyValuePair<string, string>> Trailers =>
        _response.TryGetProperty("trailers", out var trailers)
            ? trailers.EnumerateArray().Select(pair => KeyValuePair.Create(pair[0].GetString()!, pair[1].GetString()!))
            : [];

    private string Head(int length)
    {
        var head = new StringBuilder($"HTTP/1.1 {Status} {_response.GetProperty("reason").GetString()}\r\n");
        foreach (var (name, value) in Headers(_response))
        {
            if (name != "Date")
                head.Append(name).Append(": ").Append(name == "Content-Length" ? length.ToString(CultureInfo.InvariantCulture) : value).Append("\r\n");
        }
        return head.Append("\r\n").ToString();
    }

    private List<(byte[]? Bytes, int Delay)> Pieces()
    {
        if (_response.TryGetProperty("chunk_count", out _))
            return [(null, 0)];
        if (_response.TryGetProperty("chunks", out var chunks))
            return [.. chunks.EnumerateArray().Select(chunk => (Bytes(chunk), chunk.TryGetProperty("delay_ms", out var delay) ? delay.GetInt32() : 0))];
        return _response.TryGetProperty("body", out var body) ? [(Bytes(body), 0)] : [];
    }

    private static byte[]? Bytes(JsonElement from) =>
        from.TryGetProperty("text", out var text) ? Encoding.UTF8.GetBytes(text.GetString()!)
        : from.TryGetProperty("base64", out var base64) ? base64.GetBytesFromBase64()
        : null;

    private static void Pause(List<Step> steps, JsonElement from, string name, double speed)
    {
        if (from.TryGetProperty(name, out var time) && time.GetInt32() > 5)
            steps.Add(new Step.Pause(TimeSpan.FromMilliseconds(time.GetInt32() / speed)));
    }

    private IReadOnlyList<KeyValuePair<string, string>> Headers(JsonElement of)
    {
        var headers = of.GetProperty("headers");
        if (headers.ValueKind == JsonValueKind.String)
            headers = _file.GetProperty("header_sets").GetProperty(headers.GetString()!);
        return [.. headers.EnumerateArray().Select(pair => KeyValuePair.Create(pair[0].GetString()!, pair[1].GetString()!))];
    }
}
