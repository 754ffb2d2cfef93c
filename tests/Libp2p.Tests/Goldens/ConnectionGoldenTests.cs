using System.Text.Json;
using Libp2p.Muxing;
using Libp2p.Negotiation;
using Libp2p.Simulation;
using Libp2p.Testing;
using Xunit;

namespace Libp2p.Tests.Goldens;

/// <summary>Whole connections of the original: what it sent is fed to a session of ours, in the recorder's place.</summary>
[Trait("Category", "Golden")]
public sealed class ConnectionGoldenTests
{
    private static readonly JsonElement File = Golden.Read("libp2p/connection.json");

    [Fact]
    public void Streams_that_the_original_opens_arrive_with_its_proposals_in_order() =>
        Golden.ForEach(File.List("sessions").Where(IsComplete), s => s.Text("name")!, s =>
        {
            var wire = new ScriptedStream();
            // The recorder dialled, so the original is the yamux server.
            var session = new YamuxSession(wire, client: true, new YamuxOptions { KeepAlive = false }, UnlimitedMemory.Instance, new VirtualTime());
            session.Start();
            foreach (var frame in s.List("frames").Where(f => f.Text("from") == "go" && f.Text("type") is not null)) wire.Feed(Bytes(frame));
            foreach (var expected in s.List("streams_opened_by_go"))
            {
                var stream = session.AcceptAsync(TestHosts.Deadline()).AsTask().GetAwaiter().GetResult()!;
                Assert.Equal(expected.GetProperty("stream").GetUInt32(), stream.Id);
                var channel = new PipeTokenChannel(stream.Input, stream.Output);
                try
                {
                    foreach (var token in expected.List("proposed"))
                        Assert.Equal(token.GetString(), channel.ReadAsync(TestHosts.Deadline()).AsTask().GetAwaiter().GetResult());
                }
                catch (StreamResetException)
                {
                    // What came before a reset is lost, here as there.
                    Assert.Contains("RST", expected.Text("end"), StringComparison.Ordinal);
                }
            }
            Assert.False(session.Closed.IsCompleted);
            session.End(new ConnectionClosedException("The test is over."));
        });

    [Fact]
    public void A_connection_starts_with_the_recorded_tokens() =>
        Golden.ForEach(File.List("sessions").Where(s => s.List("raw_start").Any()), s => s.Text("name")!, s =>
        {
            var wire = new ScriptedStream();
            byte[] go = [.. s.List("raw_start").Where(b => b.Text("from") == "go").SelectMany(b => b.Hex("bytes_hex"))];
            byte[] recorder = [.. s.List("raw_start").Where(b => b.Text("from") == "recorder").SelectMany(b => b.Hex("bytes_hex"))];
            wire.Feed(go);
            string chosen = Multistream.SelectAsync(new StreamTokenChannel(wire, expectHeader: true), [s.Text("security")!], TestHosts.Deadline()).AsTask().GetAwaiter().GetResult();
            Assert.Equal(s.Text("security"), chosen);
            Assert.Equal(Golden.Hex(recorder.AsSpan(0, wire.Written.Length)), Golden.Hex(wire.Written));
        });

    // Long data is given by length and hash alone; a session with such frames cannot be played.
    private static bool IsComplete(JsonElement session) =>
        session.List("frames").Any() && session.List("frames").Where(f => f.Text("from") == "go" && f.Text("type") == "Data")
            .All(f => f.GetProperty("length").GetUInt32() == 0 || f.Text("data_hex") is not null);

    private static byte[] Bytes(JsonElement frame)
    {
        var flags = frame.List("flags").Aggregate(YamuxFlags.None, (all, f) => all | Enum.Parse<YamuxFlags>(f.GetString()!, ignoreCase: true));
        var header = new byte[YamuxHeader.Size];
        new YamuxHeader(Enum.Parse<YamuxType>(frame.Text("type")!), flags, frame.GetProperty("stream").GetUInt32(), frame.GetProperty("length").GetUInt32()).Write(header);
        return [.. header, .. frame.Text("data_hex") is { } hex ? Convert.FromHexString(hex) : []];
    }
}
