using Ipld;

namespace Libp2p.Bitswap;

/// <summary>
/// Sends our wants to one peer over one stream that stays open. What waits is merged by CID, so that a slow peer costs no more than
/// what is wanted.
/// </summary>
internal sealed class WantSender(PeerId peer, Libp2pHost host, BitswapOptions options, BitswapLog log)
{
    // The original's client keeps its messages below 2 MiB; an entry takes up to about 200 bytes.
    private const int EntriesPerMessage = 8192;

    private readonly Lock gate = new();
    private readonly Dictionary<Cid, WantlistEntry> pending = [];
    private PeerStream? stream;
    private bool running;
    private bool ended;

    /// <summary>Puts an entry in the queue.</summary>
    /// <returns>Whether <see cref="RunAsync"/> must be started.</returns>
    public bool Enqueue(WantlistEntry entry)
    {
        lock (gate)
        {
            if (ended) return false;
            pending[entry.Cid] = entry;
            if (running) return false;
            return running = true;
        }
    }

    /// <summary>Sends until nothing waits. Ends quietly when the peer cannot be written to: its connection then ends, or the wants go out again later.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        while (Take() is { } message)
        {
            try
            {
                using var limit = new CancellationTokenSource(options.SendTimeout, host.Options.Time);
                using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stopping);
                await SendAsync(message, both.Token);
            }
            catch (Exception failure) when (failure is IOException or OperationCanceledException or TimeoutException)
            {
                log.SendFailed(peer, failure.Message);
                End(ref stream);
                lock (gate)
                {
                    pending.Clear();
                    running = false;
                }
                return;
            }
        }
    }

    private async Task SendAsync(BitswapMessage message, CancellationToken cancellationToken)
    {
        // An open stream may have been reset since the last message: one more attempt, on a new one.
        if (stream is { } open)
        {
            try
            {
                await WriteAsync(open, message, cancellationToken);
                return;
            }
            catch (IOException)
            {
                End(ref stream);
            }
        }
        if (host.ConnectionsTo(peer).FirstOrDefault(c => c.IsOpen) is not { } connection) throw new ConnectionClosedException("The peer is not connected.");
        var opened = await connection.NewStreamAsync(BitswapProtocols.All, cancellationToken);
        lock (gate)
        {
            if (!ended) stream = opened;
        }
        if (stream != opened)
        {
            opened.Reset();
            throw new ConnectionClosedException("The peer is gone.");
        }
        await WriteAsync(opened, message, cancellationToken);
    }

    private static async Task WriteAsync(PeerStream stream, BitswapMessage message, CancellationToken cancellationToken)
    {
        stream.Output.WriteFrame(message.Encode());
        if ((await stream.Output.FlushAsync(cancellationToken)).IsCompleted) throw new ConnectionClosedException("The peer reads no more.");
    }

    private BitswapMessage? Take()
    {
        lock (gate)
        {
            if (pending.Count == 0)
            {
                running = false;
                return null;
            }
            var message = new BitswapMessage();
            foreach (var entry in pending.Values.OrderByDescending(entry => entry.Priority).Take(EntriesPerMessage)) message.Wantlist.Add(entry);
            foreach (var entry in message.Wantlist) pending.Remove(entry.Cid);
            return message;
        }
    }

    /// <summary>The peer is gone.</summary>
    public void Stop()
    {
        lock (gate)
        {
            ended = true;
            pending.Clear();
        }
        End(ref stream);
    }

    private static void End(ref PeerStream? stream) => Interlocked.Exchange(ref stream, null)?.Reset();
}
