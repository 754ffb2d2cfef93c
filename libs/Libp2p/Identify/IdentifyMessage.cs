using System.Buffers;
using System.Text;
using Libp2p.Wire;

namespace Libp2p.Identify;

/// <summary>What a peer says about itself (spec/libp2p.md, section 9). Absent fields are empty.</summary>
internal sealed class IdentifyMessage
{
    // Bounds of memory, far above what honest peers send.
    private const int MaxAddresses = 512;
    private const int MaxProtocols = 1024;

    public byte[] PublicKey { get; set; } = [];
    public List<Multiaddr> ListenAddresses { get; } = [];
    public List<string> Protocols { get; } = [];
    public Multiaddr? ObservedAddress { get; set; }
    public string ProtocolVersion { get; set; } = "";
    public string AgentVersion { get; set; } = "";
    public byte[] SignedPeerRecord { get; set; } = [];

    public byte[] ToBytes()
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new ProtoWriter(output);
        writer.Bytes(1, PublicKey);
        foreach (var address in ListenAddresses) writer.Bytes(2, address.Bytes);
        foreach (string protocol in Protocols) writer.String(3, protocol);
        if (ObservedAddress is not null) writer.Bytes(4, ObservedAddress.Bytes);
        writer.String(5, ProtocolVersion);
        writer.String(6, AgentVersion);
        if (SignedPeerRecord.Length > 0) writer.Bytes(8, SignedPeerRecord);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Adds the fields of one message: repeated ones append, others replace. Addresses of unknown form are passed over.</summary>
    /// <exception cref="FrameException">The bytes are no protobuf message.</exception>
    public void Merge(ReadOnlySpan<byte> message)
    {
        var reader = new ProtoReader(message);
        while (reader.Next(out int field))
        {
            if (reader.Wire != WireType.Bytes)
            {
                reader.Skip();
                continue;
            }
            var value = reader.Bytes();
            switch (field)
            {
                case 1: PublicKey = value.ToArray(); break;
                case 2 when ListenAddresses.Count < MaxAddresses && Multiaddr.TryFromBytes(value, out var address, out _): ListenAddresses.Add(address); break;
                case 3 when Protocols.Count < MaxProtocols: Protocols.Add(Encoding.UTF8.GetString(value)); break;
                case 4 when Multiaddr.TryFromBytes(value, out var observed, out _): ObservedAddress = observed; break;
                case 5: ProtocolVersion = Encoding.UTF8.GetString(value); break;
                case 6: AgentVersion = Encoding.UTF8.GetString(value); break;
                case 8: SignedPeerRecord = value.ToArray(); break;
                default: break;
            }
        }
        if (reader.Malformed) throw new FrameException("An identify message is no protobuf message.");
    }
}
