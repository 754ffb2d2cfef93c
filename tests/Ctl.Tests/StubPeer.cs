using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ctl.Tests;

/// <summary>A peer that answers with bytes given in advance, by the order of requests.</summary>
internal sealed class StubPeer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<string> _answers;
    private readonly Task _serving;

    public StubPeer(params string[] answers)
    {
        _answers = new(answers);
        _listener.Start();
        _serving = ServeAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public string Host => $"/ip4/127.0.0.1/tcp/{Port}";

    /// <summary>Heads, and bodies as far as they came, of the requests.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>An answer with a JSON body.</summary>
    public static string Json(string body, int status = 200) =>
        $"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}";

    /// <summary>A stream of objects in chunks, with trailers behind.</summary>
    public static string Stream(IEnumerable<string> lines, params string[] errors)
    {
        var answer = new StringBuilder("HTTP/1.1 200 OK\r\nTrailer: X-Stream-Error\r\nTransfer-Encoding: chunked\r\n\r\n");
        foreach (var line in lines)
            answer.Append($"{Encoding.UTF8.GetByteCount(line) + 1:x}\r\n{line}\n\r\n");
        answer.Append("0\r\n");
        foreach (var error in errors)
            answer.Append($"X-Stream-Error: {error}\r\n");
        return answer.Append("\r\n").ToString();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _serving;
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                var stream = client.GetStream();
                var request = new StringBuilder();
                var buffer = new byte[64 * 1024];
                do
                {
                    var read = await stream.ReadAsync(buffer, _stop.Token);
                    if (read == 0)
                        break;
                    request.Append(Encoding.UTF8.GetString(buffer, 0, read));
                }
                while (!IsComplete(request.ToString()));

                Requests.Enqueue(request.ToString());
                if (_answers.TryDequeue(out var answer))
                    await stream.WriteAsync(Encoding.UTF8.GetBytes(answer), _stop.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or IOException)
        {
            // stopped
        }
    }

    private static bool IsComplete(string request) =>
        request.Contains("\r\n\r\n", StringComparison.Ordinal) && (!request.Contains("chunked", StringComparison.Ordinal) || request.EndsWith("\r\n0\r\n\r\n", StringComparison.Ordinal));
}
