using Libp2p.Bench;

// What the wire costs on this machine, beside what bare TCP and the bare ciphers do on it.
// usage: Libp2p.Bench [seconds per measurement]
double seconds = args.Length > 0 ? double.Parse(args[0], System.Globalization.CultureInfo.InvariantCulture) : 2;
var span = TimeSpan.FromSeconds(seconds);

double tcp = await Baselines.TcpCopyAsync(span);
double chacha = Baselines.ChaCha20Poly1305(span);
double salsa = Baselines.XSalsa20(span);
// Both ciphers over the same byte, sealing and opening it: the sender's and the receiver's work on one core each.
double ciphers = 1 / (1 / chacha + 1 / salsa);
Report.Rate("plain TCP copy, loopback", tcp);
Report.Rate("ChaCha20-Poly1305, 64 KiB pieces, one core", chacha);
Report.Rate("XSalsa20, 64 KiB pieces, one core", salsa);
Report.Rate("ChaCha20-Poly1305 + XSalsa20, one core", ciphers);

foreach (bool secret in (bool[])[true, false])
{
    var (rate, efficiency, bytesPerFrame) = await Streams.ThroughputAsync(secret, span);
    string stack = secret ? "pnet + noise + yamux" : "noise + yamux";
    Report.Rate($"{stack}, one stream", rate);
    Report.Ratio("  of plain TCP", rate / tcp);
    Report.Ratio(secret ? "  of the bare ciphers" : "  of bare ChaCha20-Poly1305", rate / (secret ? ciphers : chacha));
    // On a machine that others use as well, time passes without work; processor time does not. Both sides work: twice the ciphers.
    Report.Ratio("  of the ciphers, by processor time of both sides", 2 * efficiency / (secret ? ciphers : chacha));
    Report.Count("  bytes allocated per 64 KiB frame", bytesPerFrame);
}
Report.Count("streams opened, echoed and closed per second", await Streams.OpenedPerSecondAsync(span));
var (handshakes, perProcessorSecond) = await Handshakes.PerSecondAsync(span);
Report.Count("handshakes per second (pnet + noise, both sides in this process)", handshakes);
Report.Count("  per second of processor time (both sides)", perProcessorSecond);
Report.Count("gossip messages of 256 bytes delivered per second (both sides in this process)", await Gossip.MessagesPerSecondAsync(span));
