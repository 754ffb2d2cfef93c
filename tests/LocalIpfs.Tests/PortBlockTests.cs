using System.Net;
using System.Net.Sockets;
using Xunit;

namespace LocalIpfs.Tests;

public sealed class PortBlockTests
{
    [Fact]
    public void Blocks_do_not_overlap_and_their_ports_are_free()
    {
        var blocks = new List<PortBlock>();
        try
        {
            for (var i = 0; i < 12; i++)
                blocks.Add(PortBlock.Take(1 + (i % 3)));
            var ports = blocks.SelectMany((block, i) => Enumerable.Range(block.First, PortBlock.Size * (1 + (i % 3)))).ToArray();
            Assert.Equal(ports.Length, ports.Distinct().Count());
            foreach (var port in ports.Where(port => port % 7 == 0))
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
            }
        }
        finally
        {
            blocks.ForEach(block => block.Dispose());
        }
    }
}
