namespace Libp2p.Negotiation;

/// <summary>Names that the connection itself negotiates.</summary>
internal static class ProtocolName
{
    public const string Multistream = "/multistream/1.0.0";
    public const string NotAvailable = "na";
    public const string Noise = "/noise";
    public const string Tls = "/tls/1.0.0";
    public const string Yamux = "/yamux/1.0.0";
}
