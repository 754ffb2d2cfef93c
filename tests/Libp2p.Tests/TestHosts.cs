using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Libp2p.Simulation;
using Xunit;

namespace Libp2p.Tests;

/// <summary>Hosts on loopback, for tests.</summary>
internal static class TestHosts
{
    public static readonly NetworkSecret Secret = NetworkSecret.FromHex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")!;

    // Nothing here takes long; a busy machine does.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static CancellationToken Deadline(int seconds = 60) => new CancellationTokenSource(TimeSpan.FromSeconds(seconds)).Token;

    public static async Task<Libp2pHost> StartAsync(Func<HostOptions, HostOptions>? change = null, string listen = "/ip4/127.0.0.1/tcp/0",
        Microsoft.Extensions.Logging.ILogger? log = null)
    {
        var options = new HostOptions { Key = PrivateKey.GenerateEd25519(), Listen = [Multiaddr.Parse(listen)] };
        var host = new Libp2pHost(change?.Invoke(options) ?? options, log);
        await host.StartAsync();
        return host;
    }

    /// <summary>A socket that holds a port on which nobody listens, so that dials to it are refused for as long as it is open.</summary>
    public static Socket DeadPort()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    public static Multiaddr Address(this Socket socket) => Multiaddr.FromEndPoint((IPEndPoint)socket.LocalEndPoint!);

    public static Multiaddr Address(this Libp2pHost host) => host.ListenAddresses[0].WithPeer(host.Id);

    public static void HandleEcho(this Libp2pHost host, string protocol = "/echo/1.0.0") =>
        host.Handle(protocol, async (stream, token) => await stream.Input.CopyToAsync(stream.Output, token));

    public static async Task<byte[]> ReadAllAsync(this PipeReader reader, CancellationToken token = default)
    {
        var all = new MemoryStream();
        await reader.CopyToAsync(all, token);
        return all.ToArray();
    }

    public static byte[] Pattern(int length)
    {
        var bytes = new byte[length];
        for (int i = 0; i < length; i++) bytes[i] = (byte)((i * 31 + 7) % 251);
        return bytes;
    }

    /// <summary>Lets time pass until something has ended: however late a busy machine sets its timers, they come.</summary>
    public static async Task PassUntilAsync(this VirtualTime time, Task end, TimeSpan step)
    {
        for (var waited = Stopwatch.StartNew(); !end.IsCompleted && waited.Elapsed < Patience;) await time.AdvanceAsync(step, step);
        await end.WaitAsync(Patience);
    }

    /// <summary>Waits for a condition of which nothing tells when it holds.</summary>
    public static async Task EventuallyAsync(Func<bool> condition, string what)
    {
        for (var waited = Stopwatch.StartNew(); !condition(); await Task.Delay(10))
            if (waited.Elapsed > Patience) Assert.Fail(what);
    }
}
