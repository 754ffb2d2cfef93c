using System.Buffers;
using System.Text;
using System.Text.Json;
using KuboRpc.Json;

namespace KuboRpc.Http;

/// <summary>An answer with status 200 whose body is still to come. Closing it early stops the daemon's work.</summary>
internal sealed class DaemonAnswer(HttpResponseMessage response, string target, CallLimit limit, DaemonTransport transport) : IDisposable
{
    /// <summary>A document that is read as a whole, a configuration for example, may have this many bytes.</summary>
    private const int MaxDocument = 16 * 1024 * 1024;

    /// <summary>One JSON value of a stream may have this many bytes.</summary>
    private const int MaxStreamedValue = 1024 * 1024;

    private const string StreamError = "X-Stream-Error";

    public CallLimit Limit => limit;

    /// <summary>Reads the whole body, at most <paramref name="max"/> bytes, and looks for a late error.</summary>
    public async Task<byte[]> ReadBytesAsync(int max)
    {
        try
        {
            await using var stream = await response.Content.ReadAsStreamAsync(limit.Token);
            var buffer = new ArrayBufferWriter<byte>(Math.Clamp((int)(response.Content.Headers.ContentLength ?? 4096), 256, max + 1));
            while (true)
            {
                var read = await stream.ReadAsync(buffer.GetMemory(4096), limit.Token);
                if (read == 0)
                    break;
                buffer.Advance(read);
                if (buffer.WrittenCount > max)
                    throw new DaemonAnswerException($"the daemon's answer to {target} is longer than {max} bytes");
            }
            ThrowOnLateError();
            return buffer.WrittenSpan.ToArray();
        }
        catch (Exception failure) when (failure is not KuboException)
        {
            throw transport.ReadFailure(failure, limit);
        }
    }

    /// <summary>Reads the body as one JSON document.</summary>
    public async Task<JsonDocument> ReadDocumentAsync()
    {
        var bytes = await ReadBytesAsync(MaxDocument);
        return JsonFields.Parse(bytes);
    }

    /// <summary>
    /// The body's JSON values, one after the other; a value is valid until the next one is asked for. An error object among them, a
    /// cut body and (unless <paramref name="tolerateLateError"/>) a late error in the trailer throw.
    /// </summary>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadValuesAsync(bool tolerateLateError = false)
    {
        await using var stream = await GuardAsync(response.Content.ReadAsStreamAsync(limit.Token));
        using var values = new JsonValueReader(stream, MaxStreamedValue);
        while (await GuardAsync(values.ReadAsync(limit.Token).AsTask()))
        {
            JsonFields.ThrowOnErrorObject(values.Current, target);
            yield return values.Current;
        }
        if (!tolerateLateError)
            ThrowOnLateError();
    }

    public void Dispose() => response.Dispose();

    private async Task<T> GuardAsync<T>(Task<T> reading)
    {
        try
        {
            return await reading;
        }
        catch (Exception failure) when (failure is not KuboException)
        {
            throw transport.ReadFailure(failure, limit);
        }
    }

    /// <summary>
    /// Streamed answers may end with the trailer X-Stream-Error: plain text on Kubo, JSON on JS-IPFS. The original did not look; what
    /// it then took for done was not. Null when there is none; known after the last value.
    /// </summary>
    public string? LateError
    {
        get
        {
            if (!response.TrailingHeaders.TryGetValues(StreamError, out var values))
                return null;
            var text = string.Join(", ", values);
            return JsonFields.ErrorMessage(Encoding.UTF8.GetBytes(text)) is { Length: > 0 } message ? message : text;
        }
    }

    private void ThrowOnLateError()
    {
        if (LateError is { } text)
            throw new DaemonAnswerException(text);
    }
}
