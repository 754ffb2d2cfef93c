using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Libp2p.Mdns;

/// <content>The form on the wire (RFC 1035 §4).</content>
public sealed partial class MdnsMessage
{
    private const int HeaderSize = 12;
    private const int MaxName = 255;
    private const int MaxRecords = 512;

    /// <summary>The packet.</summary>
    /// <param name="compress">Whether names that stood before are written as pointers to them.</param>
    public byte[] Encode(bool compress = true) => new Writer(compress).Write(this);

    /// <summary>Reads a packet; false when it is none. Records are bounded, names are followed backwards only.</summary>
    public static bool TryParse(ReadOnlySpan<byte> packet, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out MdnsMessage? message)
    {
        message = null;
        if (packet.Length is < HeaderSize or > MaxPacket) return false;
        var counts = new int[4];
        int total = 0;
        for (int i = 0; i < 4; i++) total += counts[i] = BinaryPrimitives.ReadUInt16BigEndian(packet[(4 + 2 * i)..]);
        if (total > MaxRecords) return false;
        var read = new MdnsMessage { Id = BinaryPrimitives.ReadUInt16BigEndian(packet), Flags = BinaryPrimitives.ReadUInt16BigEndian(packet[2..]) };
        int at = HeaderSize;
        for (int i = 0; i < counts[0]; i++)
        {
            if (!TryReadName(packet, ref at, out string name) || packet.Length - at < 4) return false;
            read.Questions.Add(new MdnsQuestion(name, (MdnsType)BinaryPrimitives.ReadUInt16BigEndian(packet[at..]), BinaryPrimitives.ReadUInt16BigEndian(packet[(at + 2)..])));
            at += 4;
        }
        List<MdnsRecord>[] sections = [read.Answers, read.Authority, read.Additional];
        for (int section = 0; section < 3; section++)
        {
            for (int i = 0; i < counts[section + 1]; i++)
            {
                if (!TryReadRecord(packet, ref at, out var record)) return false;
                sections[section].Add(record);
            }
        }
        message = read;
        return true;
    }

    private static bool TryReadRecord(ReadOnlySpan<byte> packet, ref int at, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out MdnsRecord? record)
    {
        record = null;
        if (!TryReadName(packet, ref at, out string name) || packet.Length - at < 10) return false;
        var type = (MdnsType)BinaryPrimitives.ReadUInt16BigEndian(packet[at..]);
        ushort kind = BinaryPrimitives.ReadUInt16BigEndian(packet[(at + 2)..]);
        uint ttl = BinaryPrimitives.ReadUInt32BigEndian(packet[(at + 4)..]);
        int length = BinaryPrimitives.ReadUInt16BigEndian(packet[(at + 8)..]);
        at += 10;
        if (packet.Length - at < length) return false;
        int start = at, end = at + length;
        var data = packet[start..end];
        at = end;
        record = new MdnsRecord(name, type, kind, ttl);
        switch (type)
        {
            case MdnsType.Ptr:
                if (!TryReadName(packet[..end], ref start, out string target) || start != end) return false;
                record = record with { Target = target };
                return true;
            case MdnsType.Srv:
                if (length < 7) return false;
                start += 6;
                if (!TryReadName(packet[..end], ref start, out string host) || start != end) return false;
                record = record with
                {
                    Service = (BinaryPrimitives.ReadUInt16BigEndian(data), BinaryPrimitives.ReadUInt16BigEndian(data[2..]), BinaryPrimitives.ReadUInt16BigEndian(data[4..])),
                    Target = host,
                };
                return true;
            case MdnsType.Txt:
                List<string> texts = [];
                while (!data.IsEmpty)
                {
                    int size = data[0];
                    if (data.Length <= size) return false;
                    texts.Add(Encoding.Latin1.GetString(data.Slice(1, size)));
                    data = data[(size + 1)..];
                }
                record = record with { Texts = texts };
                return true;
            case MdnsType.A or MdnsType.Aaaa:
                if (length != (type == MdnsType.A ? 4 : 16)) return false;
                record = record with { Address = new IPAddress(data) };
                return true;
            default:
                record = record with { Data = data.ToArray() };
                return true;
        }
    }

    /// <summary>Reads a name. A pointer leads backwards only, so that no name is endless.</summary>
    private static bool TryReadName(ReadOnlySpan<byte> packet, ref int at, out string name)
    {
        name = "";
        var text = new StringBuilder();
        int position = at, lowest = at, length = 0;
        bool jumped = false;
        while (true)
        {
            if (position >= packet.Length) return false;
            int size = packet[position];
            if (size >= 0xc0)
            {
                if (packet.Length - position < 2) return false;
                int target = (size & 0x3f) << 8 | packet[position + 1];
                if (target >= lowest || target < HeaderSize) return false;
                if (!jumped) at = position + 2;
                jumped = true;
                position = lowest = target;
                continue;
            }
            if (size > 63) return false;
            if (size == 0) break;
            if (packet.Length - position <= size || (length += size + 1) >= MaxName) return false;
            foreach (byte b in packet.Slice(position + 1, size))
            {
                // A dot or a backslash inside a label is escaped, as in zone files.
                if (b is (byte)'.' or (byte)'\\') text.Append('\\');
                text.Append((char)b);
            }
            text.Append('.');
            position += size + 1;
        }
        if (!jumped) at = position + 1;
        name = text.Length == 0 ? "." : text.ToString();
        return true;
    }

    private sealed class Writer(bool compress)
    {
        private readonly List<byte> bytes = new(512);
        private readonly Dictionary<string, int> known = new(StringComparer.Ordinal);

        public byte[] Write(MdnsMessage message)
        {
            foreach (int value in (ReadOnlySpan<int>)[message.Id, message.Flags, message.Questions.Count, message.Answers.Count, message.Authority.Count, message.Additional.Count])
                Add((ushort)value);
            foreach (var question in message.Questions)
            {
                Name(question.Name, compress);
                Add((ushort)question.Type);
                Add(question.Class);
            }
            foreach (var record in message.Answers.Concat(message.Authority).Concat(message.Additional)) Record(record);
            return [.. bytes];
        }

        private void Record(MdnsRecord record)
        {
            Name(record.Name, compress);
            Add((ushort)record.Type);
            Add(record.Class);
            Add((ushort)(record.Ttl >> 16));
            Add((ushort)record.Ttl);
            int lengthAt = bytes.Count;
            Add(0);
            switch (record.Type)
            {
                case MdnsType.Ptr:
                    Name(record.Target, compress);
                    break;
                case MdnsType.Srv:
                    Add(record.Service.Priority);
                    Add(record.Service.Weight);
                    Add(record.Service.Port);
                    Name(record.Target, point: false); // RFC 2782: never a pointer
                    break;
                case MdnsType.Txt:
                    foreach (string text in record.Texts)
                    {
                        byte[] raw = Encoding.Latin1.GetBytes(text);
                        if (raw.Length > 255) throw new ArgumentException($"\"{text}\" is longer than a text of DNS may be.");
                        bytes.Add((byte)raw.Length);
                        bytes.AddRange(raw);
                    }
                    break;
                case MdnsType.A or MdnsType.Aaaa:
                    bytes.AddRange(record.Address!.GetAddressBytes());
                    break;
                default:
                    bytes.AddRange(record.Data.Span);
                    break;
            }
            int length = bytes.Count - lengthAt - 2;
            bytes[lengthAt] = (byte)(length >> 8);
            bytes[lengthAt + 1] = (byte)length;
        }

        private void Name(string name, bool point)
        {
            var labels = Labels(name);
            for (int i = 0; i < labels.Count; i++)
            {
                string rest = string.Join('.', labels[i..]);
                if (known.TryGetValue(rest, out int at))
                {
                    if (point)
                    {
                        Add((ushort)(0xc000 | at));
                        return;
                    }
                }
                else if (compress && bytes.Count < 0x4000)
                {
                    known.Add(rest, bytes.Count);
                }
                byte[] raw = Encoding.Latin1.GetBytes(labels[i].Replace("\\.", ".", StringComparison.Ordinal).Replace("\\\\", "\\", StringComparison.Ordinal));
                if (raw.Length is 0 or > 63) throw new ArgumentException($"\"{name}\" is no DNS name.");
                bytes.Add((byte)raw.Length);
                bytes.AddRange(raw);
            }
            bytes.Add(0);
        }

        /// <summary>The labels, still escaped.</summary>
        private static List<string> Labels(string name)
        {
            List<string> labels = [];
            int start = 0;
            for (int i = 0; i < name.Length; i++)
            {
                if (name[i] == '\\') i++;
                else if (name[i] == '.')
                {
                    if (i > start) labels.Add(name[start..i]);
                    start = i + 1;
                }
            }
            if (start < name.Length) labels.Add(name[start..]);
            return labels;
        }

        private void Add(ushort value)
        {
            bytes.Add((byte)(value >> 8));
            bytes.Add((byte)value);
        }
    }
}
