using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography;

namespace Libp2p.Ping;

/// <summary><c>/ipfs/ping/1.0.0</c>: blocks of 32 bytes come back as they were.</summary>
internal static class PingService
{
    public const string Protocol = "/ipfs/ping/1.0.0";

    /// <summary>Streams of one peer that are answered at a time (spec/libp2p.md, section 13).</summary>
    public const int MaxStreamsPerPeer = 2;

    private const int Size = 32;
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(10);

    public static async Task AnswerAsync(PeerStream stream, TimeProvider time, CancellationToken cancellationToken)
    {
        while (true)
        {
            using var idle = new CancellationTokenSource(IdleTimeout, time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(idle.Token, cancellationToken);
            ReadResult result;
            try
            {
                result = await stream.Input.ReadAtLeastAsync(Size, both.Token);
            }
            catch (OperationCanceledException) when (idle.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                // Nothing more is asked: the stream ends in order.
                return;
            }
            if (result.Buffer.Length < Size) return;
            var block = result.Buffer.Slice(0, Size);
            block.CopyTo(stream.Output.GetSpan(Size));
            stream.Output.Advance(Size);
            stream.Input.AdvanceTo(block.End);
            await stream.Output.FlushAsync(both.Token);
        }
    }

    public static async Task<TimeSpan> PingAsync(PeerConnection connection, CancellationToken cancellationToken)
    {
        await using var stream = await connection.NewStreamAsync(Protocol, cancellationToken);
        try
        {
            byte[] block = RandomNumberGenerator.GetBytes(Size);
            long sent = connection.Time.GetTimestamp();
            await stream.Output.WriteAsync(block, cancellationToken);
            var result = await stream.Input.ReadAtLeastAsync(Size, cancellationToken);
            var elapsed = connection.Time.GetElapsedTime(sent);
            bool same = result.Buffer.Length == Size && result.Buffer.ToArray().AsSpan().SequenceEqual(block);
            stream.Input.AdvanceTo(result.Buffer.End);
            return same ? elapsed : throw new FrameException("The peer answered a ping with other bytes.");
        }
        catch
        {
            stream.Reset();
            throw;
        }
    }
}
