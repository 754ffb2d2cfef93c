using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Libp2p.Mdns;

/// <summary>
/// Finds peers of the same service in the local network by multicast DNS, notes their addresses, and connects to them; and lets itself
/// be found.
/// </summary>
public sealed class MdnsDiscovery : IAsyncDisposable
{
    private readonly Libp2pHost host;
    private readonly MdnsOptions options;
    private readonly MdnsLog log;
    private readonly MdnsResponder responder;
    private readonly List<IMulticastChannel> channels = [];
    private readonly CancellationTokenSource stopping = new();
    private readonly HashSet<PeerId> dialling = [];
    private readonly HashSet<Task> dials = [];
    private readonly List<Task> running = [];

    private MdnsDiscovery(Libp2pHost host, MdnsOptions options, ILogger? logger)
    {
        this.host = host;
        this.options = options;
        log = new MdnsLog(logger ?? NullLogger.Instance);
        responder = new MdnsResponder(options.Service, MdnsResponder.RandomInstance(host.Options.Random));
    }

    /// <summary>Starts discovery for a host that listens. Groups that cannot be joined are logged and left out.</summary>
    public static MdnsDiscovery Start(Libp2pHost host, MdnsOptions? options = null, ILogger? logger = null)
    {
        var discovery = new MdnsDiscovery(host, options ?? new MdnsOptions(), logger);
        foreach (var group in discovery.options.Groups)
        {
            try
            {
                discovery.channels.Add(UdpMulticastChannel.Join(new IPEndPoint(group, discovery.options.Port), discovery.options.Interfaces));
            }
            catch (SocketException e)
            {
                discovery.log.JoinFailed(group, e.Message);
            }
        }
        discovery.Run();
        return discovery;
    }

    /// <summary>Starts discovery over given channels.</summary>
    public static MdnsDiscovery Start(Libp2pHost host, IReadOnlyList<IMulticastChannel> channels, MdnsOptions? options = null, ILogger? logger = null)
    {
        var discovery = new MdnsDiscovery(host, options ?? new MdnsOptions(), logger);
        discovery.channels.AddRange(channels);
        discovery.Run();
        return discovery;
    }

    private void Run()
    {
        running.Add(AnnounceAsync());
        running.Add(QueryAsync());
        foreach (var channel in channels) running.Add(ReceiveAsync(channel));
    }

    private async Task AnnounceAsync()
    {
        try
        {
            ushort id = (ushort)host.Options.Random.Next(1, 65536);
            for (int i = 0; i < 3; i++)
            {
                await SendAsync(responder.Probe(id, host.Id, host.AnnouncedAddresses()), compress: false);
                await Task.Delay(options.ProbeInterval, host.Options.Time, stopping.Token);
            }
            for (int i = 0; i < 2; i++)
            {
                await SendAsync(responder.Announce(host.Id, host.AnnouncedAddresses()), compress: true);
                await Task.Delay(options.AnnounceInterval, host.Options.Time, stopping.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // Discovery ends.
        }
    }

    private async Task QueryAsync()
    {
        try
        {
            var wait = options.QueryInterval;
            while (true)
            {
                await SendAsync(responder.Query((ushort)host.Options.Random.Next(1, 65536)), compress: false);
                await Task.Delay(wait, host.Options.Time, stopping.Token);
                // 1.5 to 2.5 times as long each time, so that peers do not ask in step (spec libp2p §10).
                wait *= 1.5 + host.Options.Random.NextDouble();
                if (wait > options.MaxQueryInterval) wait = options.MaxQueryInterval;
            }
        }
        catch (OperationCanceledException)
        {
            // Discovery ends.
        }
    }

    private async Task ReceiveAsync(IMulticastChannel channel)
    {
        var buffer = new byte[MdnsMessage.MaxPacket];
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                var (length, from) = await channel.ReceiveAsync(buffer, stopping.Token);
                if (!MdnsMessage.TryParse(buffer.AsSpan(0, length), out var message)) continue;
                if (message.IsResponse) Take(responder.Read(message));
                else await AnswerAsync(channel, message, from);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException e)
            {
                // The next packet may come through: for instance the last one sent was refused, or the network is down for a while.
                log.ChannelFailed(e.Message);
                await Task.Delay(options.AnnounceInterval, host.Options.Time, stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task AnswerAsync(IMulticastChannel channel, MdnsMessage query, IPEndPoint from)
    {
        if (responder.Answer(query, host.Id, host.AnnouncedAddresses()) is not { } answer) return;
        bool unicast = query.Questions.All(question => question.WantsUnicast);
        await channel.SendAsync(answer.Encode(), unicast ? from : null, stopping.Token);
    }

    private async Task SendAsync(MdnsMessage message, bool compress)
    {
        byte[] packet = message.Encode(compress);
        foreach (var channel in channels)
        {
            try
            {
                await channel.SendAsync(packet, null, stopping.Token);
            }
            catch (SocketException e)
            {
                log.ChannelFailed(e.Message);
            }
            catch (ObjectDisposedException)
            {
                return;
            }
        }
    }

    private void Take(IReadOnlyList<Multiaddr> addresses)
    {
        foreach (var group in addresses.GroupBy(address => address.PeerId!.Value))
        {
            var peer = group.Key;
            if (peer == host.Id || host.IsConnected(peer)) continue;
            host.Peerstore.AddAddresses(peer, group.Select(address => address.WithoutPeer()), AddressTtl.Temporary);
            lock (dialling)
            {
                // Anybody in the local network can name any number of peers.
                if (!options.Dial || dialling.Count >= options.MaxDials || !dialling.Add(peer)) continue;
                dials.RemoveWhere(dial => dial.IsCompletedSuccessfully);
                dials.Add(Task.Run(() => DialAsync(peer, [.. group.Select(address => address.WithoutPeer())])));
            }
        }
    }

    private async Task DialAsync(PeerId peer, IReadOnlyList<Multiaddr> addresses)
    {
        log.Found(peer);
        try
        {
            using var limit = new CancellationTokenSource(options.DialTimeout, host.Options.Time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stopping.Token);
            await host.DialAsync(peer, addresses, both.Token);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            log.DialFailed(peer, e.Message);
        }
        finally
        {
            lock (dialling) dialling.Remove(peer);
        }
    }

    /// <summary>Says good-bye and ends discovery.</summary>
    public async ValueTask DisposeAsync()
    {
        if (stopping.IsCancellationRequested) return;
        await SendAsync(responder.Announce(host.Id, host.AnnouncedAddresses(), ending: true), compress: false);
        await stopping.CancelAsync();
        await Task.WhenAll(running);
        foreach (var channel in channels) await channel.DisposeAsync();
        Task[] open;
        lock (dialling) open = [.. dials];
        await Task.WhenAll(open);
    }
}
