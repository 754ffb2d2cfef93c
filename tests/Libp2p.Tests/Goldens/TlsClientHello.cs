using System.Buffers.Binary;
using System.Text;

namespace Libp2p.Tests.Goldens;

/// <summary>The parts of a TLS client hello (RFC 8446, section 4.1.2) that the recorded one names.</summary>
internal sealed record TlsClientHello(string ServerName, IReadOnlyList<string> ApplicationProtocols, IReadOnlyList<int> Versions, IReadOnlyList<int> CipherSuites, IReadOnlyList<int> Extensions)
{
    public static TlsClientHello Parse(ReadOnlySpan<byte> record)
    {
        // Record header, handshake header, version, random.
        var rest = record[(5 + 4 + 2 + 32)..];
        Take(ref rest, 1);
        var suites = Numbers(Take(ref rest, 2));
        Take(ref rest, 1);
        var extensions = Take(ref rest, 2);
        string name = "";
        List<string> protocols = [];
        List<int> versions = [], kinds = [];
        while (!extensions.IsEmpty)
        {
            int kind = BinaryPrimitives.ReadUInt16BigEndian(extensions);
            extensions = extensions[2..];
            var body = Take(ref extensions, 2);
            kinds.Add(kind);
            if (kind == 0) name = Encoding.ASCII.GetString(body[5..]);
            else if (kind == 43) versions = Numbers(Take(ref body, 1));
            else if (kind == 16)
            {
                var list = Take(ref body, 2);
                while (!list.IsEmpty) protocols.Add(Encoding.ASCII.GetString(Take(ref list, 1)));
            }
        }
        return new TlsClientHello(name, protocols, versions, suites, kinds);
    }

    private static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> from, int lengthBytes)
    {
        int length = lengthBytes == 1 ? from[0] : BinaryPrimitives.ReadUInt16BigEndian(from);
        var part = from.Slice(lengthBytes, length);
        from = from[(lengthBytes + length)..];
        return part;
    }

    private static List<int> Numbers(ReadOnlySpan<byte> bytes)
    {
        var numbers = new List<int>();
        for (; bytes.Length >= 2; bytes = bytes[2..]) numbers.Add(BinaryPrimitives.ReadUInt16BigEndian(bytes));
        return numbers;
    }
}
