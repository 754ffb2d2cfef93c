using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

namespace Gateway.Tests.Http;

/// <summary>An HTTP/1.1 client that shows the bytes: status line, headers as spelled, chunks, trailers.</summary>
internal sealed class RawHttp : IDisposable
{
    private readonly Socket socket;
    private readonly NetworkStream stream;
    private readonly List<byte> pending = [];

    public RawHttp(EndPoint endpoint)
    {
        socket = endpoint is UnixDomainSocketEndPoint
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(endpoint);
        stream = new NetworkStream(socket, ownsSocket: true) { ReadTimeout = 60_000 };
    }

    public static RawAnswer Once(EndPoint endpoint, string request)
    {
        using var client = new RawHttp(endpoint);
        return client.Exchange(request);
    }

    public void Send(string text) => stream.Write(Encoding.Latin1.GetBytes(text));

    public void Send(byte[] bytes) => stream.Write(bytes);

    public RawAnswer Exchange(string request)
    {
        Send(request);
        return Read(request.StartsWith("HEAD ", StringComparison.Ordinal));
    }

    /// <summary>Waits until the head of an answer is there, which may be only the word to go on.</summary>
    public void AwaitHead()
    {
        while (CollectionsMarshal.AsSpan(pending).IndexOf("\r\n\r\n"u8) < 0)
            if (!More()) throw new IOException("closed in the head");
    }

    public RawAnswer Read(bool head = false)
    {
        string line = Line();
        while (line.StartsWith("HTTP/1.1 100", StringComparison.Ordinal))
        {
            _ = Line();
            line = Line();
        }

        List<KeyValuePair<string, string>> headers = Fields();
        string? Value(string name) => headers.Where(h => h.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(h => h.Value).FirstOrDefault();
        int status = int.Parse(line.Split(' ')[1]);
        var chunks = new List<string>();
        List<KeyValuePair<string, string>> trailers = [];
        if (head || status is 204 or 304) return new(line, status, headers, chunks, trailers);
        if (Value("Transfer-Encoding") == "chunked")
        {
            while (true)
            {
                int size = Convert.ToInt32(Line(), 16);
                if (size == 0) break;
                chunks.Add(Encoding.UTF8.GetString(Take(size)));
                if (Line().Length != 0) throw new IOException("chunk without end");
            }

            trailers = Fields();
        }
        else if (Value("Content-Length") is { } length) chunks.Add(Encoding.UTF8.GetString(Take(int.Parse(length))));
        else chunks.Add(Encoding.UTF8.GetString(ToEnd()));
        return new(line, status, headers, chunks, trailers);
    }

    public bool IsClosed()
    {
        try
        {
            return pending.Count == 0 && stream.ReadByte() < 0;
        }
        catch (IOException error) when (error.InnerException is not SocketException { SocketErrorCode: SocketError.TimedOut or SocketError.WouldBlock })
        {
            return true;
        }
    }

    public void Dispose() => stream.Dispose();

    private List<KeyValuePair<string, string>> Fields()
    {
        var fields = new List<KeyValuePair<string, string>>();
        for (string line; (line = Line()).Length > 0;)
        {
            int colon = line.IndexOf(':');
            fields.Add(new(line[..colon], line[(colon + 1)..].Trim()));
        }

        return fields;
    }

    private string Line()
    {
        while (true)
        {
            int end = pending.IndexOf((byte)'\n');
            if (end >= 0)
            {
                string line = Encoding.UTF8.GetString([.. pending[..end]]).TrimEnd('\r');
                pending.RemoveRange(0, end + 1);
                return line;
            }

            if (!More()) throw new IOException($"closed in a line: {Encoding.UTF8.GetString([.. pending])}");
        }
    }

    private byte[] Take(int count)
    {
        while (pending.Count < count)
            if (!More()) throw new IOException("closed in the body");
        byte[] taken = [.. pending[..count]];
        pending.RemoveRange(0, count);
        return taken;
    }

    private byte[] ToEnd()
    {
        while (More())
        {
        }

        return Take(pending.Count);
    }

    private bool More()
    {
        byte[] buffer = new byte[16384];
        int read = stream.Read(buffer);
        pending.AddRange(buffer.AsSpan(0, read));
        return read > 0;
    }
}

internal sealed record RawAnswer(
    string StatusLine,
    int Status,
    List<KeyValuePair<string, string>> Headers,
    List<string> Chunks,
    List<KeyValuePair<string, string>> Trailers)
{
    public string Body => string.Concat(Chunks);

    public string? this[string name] => Headers.Where(h => h.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(h => h.Value).FirstOrDefault();
}
