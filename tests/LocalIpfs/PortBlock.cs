using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace LocalIpfs;

/// <summary>
/// Ports for programs that have to be told where to listen before they run. A block belongs to one taker on this machine until it is
/// disposed or its process ends, and all blocks lie below the ports that the kernel hands out by itself: nobody comes by one by chance,
/// also while the program that listens there is being started again.
/// </summary>
public sealed class PortBlock : IDisposable
{
    /// <summary>Ports of a block.</summary>
    public const int Size = 100;

    private const int Lowest = 10_000;

    private readonly List<Socket> _marks;

    private PortBlock(int first, List<Socket> marks)
    {
        First = first;
        _marks = marks;
    }

    /// <summary>The first port.</summary>
    public int First { get; }

    /// <summary>Takes so many blocks in a row. Throws when there are none.</summary>
    public static PortBlock Take(int blocks = 1)
    {
        var all = (KernelsFirst() - Lowest) / Size - blocks + 1;
        var start = Random.Shared.Next(all);
        for (var i = 0; i < all; i++)
        {
            var first = Lowest + ((start + i) % all * Size);
            if (TryMark(first, blocks) is not { } marks)
                continue;
            var block = new PortBlock(first, marks);
            if (Enumerable.Range(first, blocks * Size).All(IsFree))
                return block;
            block.Dispose();
        }

        throw new InvalidOperationException("no free ports");
    }

    /// <summary>Gives the ports back.</summary>
    public void Dispose()
    {
        foreach (var mark in _marks)
            mark.Dispose();
    }

    // An abstract Unix socket is what a port is: known in one network namespace, bound by one process, gone with it.
    private static List<Socket>? TryMark(int first, int blocks)
    {
        var marks = new List<Socket>();
        for (var block = 0; block < blocks; block++)
        {
            var mark = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            marks.Add(mark);
            try
            {
                mark.Bind(new UnixDomainSocketEndPoint(string.Create(CultureInfo.InvariantCulture, $"\0cluster-test-ports/{first + (block * Size)}")));
            }
            catch (SocketException)
            {
                marks.ForEach(taken => taken.Dispose());
                return null;
            }
        }

        return marks;
    }

    private static bool IsFree(int port)
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            probe.Bind(new IPEndPoint(IPAddress.Any, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Where the ports begin that the kernel gives to connections and to who asks for any.</summary>
    private static int KernelsFirst()
    {
        const int usual = 32_768;
        var range = File.ReadAllText("/proc/sys/net/ipv4/ip_local_port_range").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        var first = int.Parse(range[0], CultureInfo.InvariantCulture);
        // Where the kernel hands out nearly all, the marks and the probes have to do.
        return first is > Lowest + (20 * Size) and < usual ? first : usual;
    }
}
