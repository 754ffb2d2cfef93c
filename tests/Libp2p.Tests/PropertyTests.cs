using FsCheck;
using FsCheck.Fluent;
using Libp2p.Encodings;
using Libp2p.Muxing;
using Libp2p.Security.Noise;
using Libp2p.Simulation;
using Libp2p.Wire;
using Xunit;

namespace Libp2p.Tests;

public sealed class PropertyTests
{
    private static readonly Config Settings = Config.QuickThrowOnFailure.WithMaxTest(200);

    [Fact]
    public void Every_number_below_two_to_the_63rd_survives_a_varint() =>
        Prop.ForAll<ulong>(number =>
        {
            number >>= 1;
            Span<byte> bytes = stackalloc byte[UVarint.MaxLength];
            int n = UVarint.Write(bytes, number);
            return n == UVarint.Length(number)
                && UVarint.Read(bytes[..n], out ulong read, out int consumed) == UVarint.Status.Ok && read == number && consumed == n
                && UVarint.Read(bytes[..(n - 1)], out _, out _) == UVarint.Status.Incomplete;
        }).Check(Settings);

    [Fact]
    public void Addresses_survive_text_and_bytes() =>
        Prop.ForAll<byte[], ushort, string>((ip, port, name) =>
        {
            var id = PrivateKey.FromEd25519Seed(Pad(ip ?? [], 32)).PeerId;
            string clean = new([.. (name ?? "").Where(c => c is > ' ' and < '\u007f' and not '/')]);
            var address = Multiaddr.FromEndPoint(new System.Net.IPEndPoint(new System.Net.IPAddress(Pad(ip ?? [], 16)), port)).WithPeer(id);
            if (clean.Length > 0) address = Multiaddr.Parse($"/dns4/{clean}/tcp/{port}").Encapsulate(Multiaddr.Parse("/ws")).WithPeer(id);
            return Multiaddr.Parse(address.ToString()) == address && Multiaddr.FromBytes(address.Bytes) == address && address.PeerId == id;
        }).Check(Settings);

    [Fact]
    public void Protobuf_fields_survive() =>
        Prop.ForAll<ulong, byte[], string>((number, bytes, text) =>
        {
            var output = new System.Buffers.ArrayBufferWriter<byte>();
            var writer = new ProtoWriter(output);
            writer.Varint(1, number);
            writer.Bytes(2, bytes ?? []);
            writer.String(70000, text ?? "");
            var reader = new ProtoReader(output.WrittenSpan);
            bool ok = reader.Next(out int a) && a == 1 && reader.Varint() == number;
            ok &= reader.Next(out int b) && b == 2 && reader.Bytes().SequenceEqual(bytes ?? []);
            ok &= reader.Next(out int c) && c == 70000 && reader.Bytes().SequenceEqual(System.Text.Encoding.UTF8.GetBytes(text ?? ""));
            return ok && !reader.Next(out _) && !reader.Malformed;
        }).Check(Settings);

    [Fact]
    public void Noise_frames_are_read_in_whatever_pieces_they_come() =>
        Prop.ForAll<int, byte[][]>((seed, writes) =>
        {
            var sent = new ScriptedStream();
            var sealing = new NoiseStream(sent, new byte[32], new byte[32]);
            foreach (var part in writes ?? []) sealing.WriteAsync(part ?? []).AsTask().GetAwaiter().GetResult();
            var received = new ScriptedStream { MaxRead = 1 + Math.Abs(seed % 50), Random = new Random(seed) };
            received.Feed(sent.Written);
            received.FeedEnd();
            var plain = new MemoryStream();
            new NoiseStream(received, new byte[32], new byte[32]).CopyToAsync(plain, 1 + Math.Abs(seed % 7)).GetAwaiter().GetResult();
            return plain.ToArray().SequenceEqual((writes ?? []).SelectMany(w => w ?? []));
        }).Check(Settings);

    [Fact]
    public void Yamux_streams_are_read_in_whatever_pieces_their_frames_come() =>
        Prop.ForAll<int, byte[][]>((seed, writes) =>
        {
            // The frames of a writing session, recorded, then fed in pieces to a reading one.
            var sent = new ScriptedStream();
            var from = new YamuxSession(sent, client: true, new YamuxOptions { KeepAlive = false }, UnlimitedMemory.Instance, new VirtualTime());
            from.Start();
            var random = new Random(seed);
            var streams = Enumerable.Range(0, 3).Select(_ => from.OpenAsync(hold: false, default).AsTask().GetAwaiter().GetResult()).ToArray();
            var expected = streams.ToDictionary(s => s.Id, _ => new List<byte>());
            foreach (var part in writes ?? [])
            {
                var stream = streams[random.Next(3)];
                stream.Output.WriteAsync(part ?? []).AsTask().GetAwaiter().GetResult();
                expected[stream.Id].AddRange(part ?? []);
            }
            foreach (var stream in streams) stream.Output.Complete();
            var received = new ScriptedStream { MaxRead = 1 + Math.Abs(seed % 40), Random = random };
            var to = new YamuxSession(received, client: false, new YamuxOptions { KeepAlive = false }, UnlimitedMemory.Instance, new VirtualTime());
            to.Start();
            received.Feed(sent.Written);
            bool same = true;
            for (int i = 0; i < 3; i++)
            {
                var stream = to.AcceptAsync(TestHosts.Deadline()).AsTask().GetAwaiter().GetResult()!;
                same &= stream.Input.ReadAllAsync(TestHosts.Deadline()).GetAwaiter().GetResult().SequenceEqual(expected[stream.Id]);
            }
            from.End(new ConnectionClosedException("The test is over."));
            to.End(new ConnectionClosedException("The test is over."));
            return same;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(60));

    private static byte[] Pad(byte[] bytes, int length)
    {
        var padded = new byte[length];
        bytes.AsSpan(0, Math.Min(length, bytes.Length)).CopyTo(padded);
        return padded;
    }
}
