using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace FakeDaemon;

/// <summary>
/// A daemon that answers with prepared bytes, on a raw socket of loopback (or a Unix socket): whole answers, cut ones, pauses, resets.
/// </summary>
public sealed class Daemon : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Socket _listener;
    private readonly Func<ReceivedRequest, IEnumerable<Step>> _answer;
    private readonly bool _early;
    private readonly ConcurrentQueue<ReceivedRequest> _received = new();
    private readonly ConcurrentDictionary<Task, byte> _connections = new();
    private readonly Task _accepting;
    private int _connectionCount;
    private int _disposed;

    /// <summary>Starts a daemon that asks <paramref name="answer"/> what to do with each request.</summary>
    /// <param name="answer">Called from any thread, once a request.</param>
    /// <param name="early">Answers after the headers, without waiting for the body.</param>
    /// <param name="unixSocket">A path to listen on instead of a TCP port.</param>
    public Daemon(Func<ReceivedRequest, IEnumerable<Step>> answer, bool early = false, string? unixSocket = null)
    {
        _answer = answer;
        _early = early;
        if (unixSocket == null)
        {
            _listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        }
        else
        {
            _listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            _listener.Bind(new UnixDomainSocketEndPoint(unixSocket));
        }
        _listener.Listen(128);
        _accepting = AcceptAsync();
    }

    /// <summary>The TCP port.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    /// <summary>Requests so far, in order of arrival.</summary>
    public IReadOnlyCollection<ReceivedRequest> Received => _received;

    /// <summary>Connections so far.</summary>
    public int ConnectionCount => _connectionCount;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        await Task.WhenAll(_connections.Keys);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptAsync(_stop.Token);
                Interlocked.Increment(ref _connectionCount);
                var serving = ServeAsync(socket);
                _connections.TryAdd(serving, 0);
            }
        }
        catch (Exception failure) when (failure is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Stopped.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using var _ = socket;
        await using var stream = new NetworkStream(socket);
        try
        {
            while (await ReadRequestAsync(stream) is { } request)
            {
                _received.Enqueue(request);
                if (!await PlayAsync(_answer(request), stream, socket))
                    return;
            }
        }
        catch (Exception failure) when (failure is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The client went away, or the test is over.
        }
    }

    private async Task<bool> PlayAsync(IEnumerable<Step> steps, NetworkStream stream, Socket socket)
    {
        foreach (var step in steps)
        {
            switch (step)
            {
                case Step.Send send:
                    await stream.WriteAsync(send.Bytes, _stop.Token);
                    break;
                case Step.Pause pause:
                    await Task.Delay(pause.Time, _stop.Token);
                    break;
                case Step.Do work:
                    await work.Act(_stop.Token);
                    break;
                case Step.Hang:
                    await Task.Delay(Timeout.InfiniteTimeSpan, _stop.Token);
                    break;
                case Step.Reset:
                    socket.LingerState = new LingerOption(true, 0);
                    socket.Close();
                    return false;
                case Step.Close:
                    socket.Shutdown(SocketShutdown.Send);
                    return false;
            }
        }
        return true;
    }

    private async Task<ReceivedRequest?> ReadRequestAsync(NetworkStream stream)
    {
        var head = await ReadLineAsync(stream);
        if (head == null)
            return null;
        var words = head.Split(' ');
        var headers = new List<KeyValuePair<string, string>>();
        while (await ReadLineAsync(stream) is { Length: > 0 } line)
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            headers.Add(new(line[..colon], line[(colon + 1)..].Trim()));
        }
        var request = new ReceivedRequest(words[0], words[1], headers, []);
        return _early ? request : request with { Body = await ReadBodyAsync(stream, request) };
    }

    private async Task<byte[]> ReadBodyAsync(NetworkStream stream, ReceivedRequest request)
    {
        var body = new MemoryStream();
        if (request.Header("Transfer-Encoding") == "chunked")
        {
            while (true)
            {
                var length = int.Parse(await ReadLineAsync(stream) ?? throw new IOException("the body was cut"), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                body.Write(await ReadExactlyAsync(stream, length));
                await ReadLineAsync(stream);
                if (length == 0)
                    return body.ToArray();
            }
        }
        if (request.Header("Content-Length") is { } text)
            body.Write(await ReadExactlyAsync(stream, int.Parse(text, CultureInfo.InvariantCulture)));
        return body.ToArray();
    }

    private async Task<byte[]> ReadExactlyAsync(NetworkStream stream, int length)
    {
        var bytes = new byte[length];
        await stream.ReadExactlyAsync(bytes, _stop.Token);
        return bytes;
    }

    private async Task<string?> ReadLineAsync(NetworkStream stream)
    {
        var line = new List<byte>();
        var one = new byte[1];
        while (await stream.ReadAsync(one, _stop.Token) == 1)
        {
            if (one[0] == '\n')
                return Encoding.Latin1.GetString([.. line]).TrimEnd('\r');
            line.Add(one[0]);
        }
        return null;
    }
}
