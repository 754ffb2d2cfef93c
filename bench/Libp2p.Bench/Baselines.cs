using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Libp2p.PrivateNetwork;

namespace Libp2p.Bench;

/// <summary>What the machine does without libp2p.</summary>
internal static class Baselines
{
    private const int Piece = 64 * 1024;

    public static async Task<double> TcpCopyAsync(TimeSpan span)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var client = new TcpClient();
        var accept = listener.AcceptTcpClientAsync();
        await client.ConnectAsync((IPEndPoint)listener.LocalEndpoint);
        using var server = await accept;
        var reading = Task.Run(async () =>
        {
            var buffer = new byte[Piece];
            long total = 0;
            while (await server.GetStream().ReadAsync(buffer) is var n && n > 0) total += n;
            return total;
        });
        var piece = new byte[Piece];
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < span) await client.GetStream().WriteAsync(piece);
        client.Close();
        return await reading / watch.Elapsed.TotalSeconds;
    }

    public static double ChaCha20Poly1305(TimeSpan span)
    {
        using var cipher = new ChaCha20Poly1305(new byte[32]);
        byte[] plain = new byte[Piece], sealedText = new byte[Piece], nonce = new byte[12], tag = new byte[16];
        return Loop(span, () => cipher.Encrypt(nonce, plain, sealedText, tag));
    }

    public static double XSalsa20(TimeSpan span)
    {
        var cipher = new XSalsa20(new byte[32], new byte[24]);
        byte[] plain = new byte[Piece], output = new byte[Piece];
        return Loop(span, () => cipher.Xor(plain, output));
    }

    private static double Loop(TimeSpan span, Action once)
    {
        var watch = Stopwatch.StartNew();
        var processor = Environment.CpuUsage.TotalTime;
        long total = 0;
        while (watch.Elapsed < span)
        {
            for (int i = 0; i < 16; i++) once();
            total += 16 * Piece;
        }
        // Per second of processor time: what one core does when nobody else wants it.
        return total / (Environment.CpuUsage.TotalTime - processor).TotalSeconds;
    }
}
