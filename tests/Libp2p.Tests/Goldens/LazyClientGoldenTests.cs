using System.Text.Json;
using Libp2p.Hosting;
using Libp2p.Muxing;
using Libp2p.Negotiation;
using Libp2p.Simulation;
using Libp2p.Testing;
using Xunit;

namespace Libp2p.Tests.Goldens;

/// <summary>Clients that write before the protocol is agreed: a stream of ours does the recorded calls, the recorded server answers.</summary>
[Trait("Category", "Golden")]
public sealed class LazyClientGoldenTests
{
    /// <summary>Calls that end otherwise here, by the beginning of their name, and why.</summary>
    private static readonly Dictionary<string, string> Stricter = new()
    {
        ["Write('more'): reading errors do not stop writes"] = "a stream on a protocol that the peer refused is reset: what is written to it would be read as proposals",
    };

    [Fact]
    public void Lazy_clients_send_the_recorded_bytes() =>
        Golden.ForEach(
            Golden.Read("libp2p/multistream.json").List("cases").Where(c => c.Text("client")?.StartsWith("lazy", StringComparison.Ordinal) ?? false),
            c => c.Text("name")!, c => PlayAsync(c).WaitAsync(TestHosts.Deadline()).GetAwaiter().GetResult());

    private static async Task PlayAsync(JsonElement c)
    {
        string protocol = c.List("client_protocols").Single().GetString()!;
        byte[] tokens = MultistreamToken.Encode(ProtocolName.Multistream, protocol);
        byte[] expected = MultistreamGoldenTests.Expected(c, "client");
        Assert.True(expected.AsSpan().StartsWith(tokens));
        var wire = new ScriptedStream();
        var session = new YamuxSession(wire, client: true, new YamuxOptions { KeepAlive = false }, UnlimitedMemory.Instance, new VirtualTime());
        session.Start();
        var muxed = await session.OpenAsync(hold: true, TestHosts.Deadline());
        await muxed.SendAsync(tokens, TestHosts.Deadline(), hold: true);
        var traffic = new ProtocolTraffic(protocol);
        var input = new CountingReader(muxed, traffic, protocol);
        var output = new CountingWriter(muxed.Output, traffic);
        byte[] answers = MultistreamGoldenTests.Expected(c, "server");
        wire.Feed([.. Frame(YamuxType.WindowUpdate, YamuxFlags.Ack, 0), .. Frame(YamuxType.Data, YamuxFlags.None, answers.Length), .. answers]);
        int sent = tokens.Length;
        bool closed = false;
        foreach (var call in c.List("client_calls"))
        {
            string name = call.Text("call")!;
            if (name.StartsWith("Write", StringComparison.Ordinal))
            {
                int count = call.GetProperty("n").GetInt32();
                byte[] data = expected[sent..(sent + count)];
                if (Stricter.ContainsKey(name))
                {
                    await Assert.ThrowsAsync<StreamResetException>(async () => await output.WriteAsync(data, TestHosts.Deadline()));
                    expected = expected[..sent];
                    continue;
                }
                await output.WriteAsync(data, TestHosts.Deadline());
                sent += count;
            }
            else if (name.StartsWith("Read", StringComparison.Ordinal))
            {
                if (call.Text("error")!.StartsWith("protocols not supported", StringComparison.Ordinal))
                {
                    await Assert.ThrowsAsync<ProtocolNotSupportedException>(async () => await input.ReadAsync(TestHosts.Deadline()));
                    continue;
                }
                // Nothing comes of the others, also when all that was answered is here.
                using var giveUp = new CancellationTokenSource();
                var reading = input.ReadAsync(giveUp.Token).AsTask();
                await TestHosts.EventuallyAsync(() => wire.IsDrained, "not all was read");
                await giveUp.CancelAsync();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
            }
            else
            {
                Assert.Equal("Close", name);
                await output.CompleteAsync();
                closed = true;
            }
        }
        // The end is a frame of its own.
        await TestHosts.EventuallyAsync(() => Sent(wire.Written) is var sent && sent.Data.Length >= expected.Length && sent.Fin == closed, "not all was sent");
        Assert.Equal(Golden.Hex(expected), Golden.Hex(Sent(wire.Written).Data));
        session.End(new ConnectionClosedException("The test is over."));
    }

    private static byte[] Frame(YamuxType type, YamuxFlags flags, int length)
    {
        var bytes = new byte[YamuxHeader.Size];
        new YamuxHeader(type, flags, 1, (uint)length).Write(bytes);
        return bytes;
    }

    private static (byte[] Data, bool Fin) Sent(byte[] wire)
    {
        var data = new MemoryStream();
        bool fin = false;
        for (int at = 0; at + YamuxHeader.Size <= wire.Length;)
        {
            uint length = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(wire.AsSpan(at + 8));
            fin |= (wire[at + 3] & (byte)YamuxFlags.Fin) != 0;
            bool carries = wire[at + 1] == (byte)YamuxType.Data;
            at += YamuxHeader.Size;
            if (!carries) continue;
            data.Write(wire.AsSpan(at, (int)length));
            at += (int)length;
        }
        return (data.ToArray(), fin);
    }
}
