using System.Text;
using Cluster.Contracts.V1;
using Cluster.Model;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Libp2p;

namespace Cluster.Gateway.Json;

/// <summary>Parts that several objects of <c>spec/rest-api.md</c> section 6 share, written straight from messages.</summary>
internal static class Fields
{
    private static readonly bool IsUniversal = TimeZoneInfo.Local.HasSameRules(TimeZoneInfo.Utc) && TimeZoneInfo.Local.BaseUtcOffset == TimeSpan.Zero;

    public static void Peers(ref GoJsonWriter json, RepeatedField<ByteString> peers)
    {
        json.Raw((byte)'[');
        for (int i = 0; i < peers.Count; i++)
        {
            if (i > 0) json.Raw((byte)',');
            json.PlainString(PeerText.Of(peers[i]));
        }

        json.Raw((byte)']');
    }

    public static void Addresses(ref GoJsonWriter json, RepeatedField<ByteString> addresses)
    {
        json.Raw((byte)'[');
        bool first = true;
        foreach (ByteString bytes in addresses)
        {
            if (!Multiaddr.TryFromBytes(bytes.Span, out Multiaddr? address, out _)) continue;
            if (!first) json.Raw((byte)',');
            first = false;
            json.String(address!.ToString());
        }

        json.Raw((byte)']');
    }

    public static void Strings(ref GoJsonWriter json, RepeatedField<string> texts)
    {
        json.Raw((byte)'[');
        for (int i = 0; i < texts.Count; i++)
        {
            if (i > 0) json.Raw((byte)',');
            json.String(texts[i]);
        }

        json.Raw((byte)']');
    }

    /// <summary>An instant in the server's own zone; <c>0001-01-01T00:00:00Z</c> for none.</summary>
    public static void LocalTime(ref GoJsonWriter json, Time? time)
    {
        GoTime instant = ToGoTime(time);
        if (!IsUniversal && !instant.IsZero)
            instant = instant.WithOffset((int)TimeZoneInfo.Local.GetUtcOffset(instant.ToDateTimeOffset()).TotalMinutes);
        json.Time(instant);
    }

    public static GoTime ToGoTime(Time? time) => time is null ? GoTime.Zero : GoTime.FromUnix(time.Seconds, time.Nanos);

    /// <summary>A map with its keys in the order of their UTF-8 bytes.</summary>
    public static void Map(ref GoJsonWriter json, MapField<string, string> map)
    {
        json.Raw((byte)'{');
        bool first = true;
        foreach (string key in SortedKeys(map))
        {
            if (!first) json.Raw((byte)',');
            first = false;
            json.String(key);
            json.Raw((byte)':');
            json.String(map[key]);
        }

        json.Raw((byte)'}');
    }

    public static string[] SortedKeys<T>(MapField<string, T> map)
    {
        string[] keys = [.. map.Keys];
        if (keys.Length > 1) Array.Sort(keys, static (a, b) => Encoding.UTF8.GetBytes(a).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b)));
        return keys;
    }

    /// <summary>Indexes of <paramref name="count"/> items in the order of their peers' texts; for the members of peer maps.</summary>
    public static void SortByPeer(Span<int> order, Func<int, ByteString> peerOf)
    {
        for (int i = 0; i < order.Length; i++) order[i] = i;
        for (int i = 1; i < order.Length; i++)
        {
            for (int j = i; j > 0 && PeerText.Of(peerOf(order[j - 1])).AsSpan().SequenceCompareTo(PeerText.Of(peerOf(order[j]))) > 0; j--)
                (order[j - 1], order[j]) = (order[j], order[j - 1]);
        }
    }
}
