using System.Collections.Concurrent;
using System.Text.Json;
using KuboRpc.Http;
using KuboRpc.Json;
using Libp2p;

namespace KuboRpc;

public sealed partial class KuboClient
{
    /// <summary>Background connects at most; beyond, further origins are not connected to (they only speed a pin up).</summary>
    private const int MaxBackgroundConnects = 256;

    private readonly CancellationTokenSource _closing = new();
    private readonly ConcurrentDictionary<Task, byte> _connects = new();

    /// <summary>The peers that the daemon is connected to.</summary>
    public async Task<IReadOnlyList<PeerId>> SwarmPeersAsync(CancellationToken cancellationToken = default)
    {
        using var limit = _transport.Limit(_options.RequestTimeout, cancellationToken);
        using var answer = await _transport.PostAsync("swarm/peers", limit);
        using var document = await answer.ReadDocumentAsync();
        var peers = new List<PeerId>();
        foreach (var item in JsonFields.List(document.RootElement, "Peers"))
        {
            var text = JsonFields.Text(item, "Peer");
            if (!PeerId.TryParse(text, out var peer, out var why))
                throw new DaemonAnswerException($"the daemon names a peer \"{text}\": {why}");
            peers.Add(peer);
        }
        return peers;
    }

    /// <summary>Makes the daemon connect to a multiaddress.</summary>
    public async Task SwarmConnectAsync(string address, CancellationToken cancellationToken = default)
    {
        using var limit = _transport.Limit(_options.RequestTimeout, cancellationToken);
        using var answer = await _transport.PostAsync($"swarm/connect?arg={JsonFields.Escape(address)}", limit);
        await answer.ReadBytesAsync(64 * 1024);
    }

    /// <summary>A value of the daemon's configuration as JSON; <paramref name="path"/> is <c>A</c> or <c>A/B</c>.</summary>
    /// <exception cref="ConfigKeyException">There is no such key.</exception>
    public async Task<string> ConfigKeyAsync(string path, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        using var limit = _transport.Limit(_options.RequestTimeout, cancellationToken);
        using var answer = await _transport.PostAsync("config/show", limit);
        using var document = await answer.ReadDocumentAsync();
        if (document.RootElement.ValueKind is not (JsonValueKind.Object or JsonValueKind.Null))
            throw new DaemonAnswerException($"the daemon's configuration is {JsonFields.Describe(document.RootElement)}, not an object");
        var value = document.RootElement;
        foreach (var key in path.Split('/', 2))
        {
            if (value.ValueKind == JsonValueKind.Null && value.Equals(document.RootElement))
                throw new ConfigKeyException("key not found in configuration");
            if (value.ValueKind != JsonValueKind.Object)
                throw new ConfigKeyException("invalid path");
            if (!value.TryGetProperty(key, out value))
                throw new ConfigKeyException("key not found in configuration");
        }
        return value.GetRawText();
    }

    /// <summary>Connects to origins beside a pin, which does not wait for them; failures are no one's business.</summary>
    private void ConnectInBackground(IEnumerable<string> origins)
    {
        foreach (var origin in origins)
        {
            if (_connects.Count >= MaxBackgroundConnects || _closing.IsCancellationRequested)
                return;
            var connect = ConnectQuietlyAsync(origin);
            _connects.TryAdd(connect, 0);
            _ = connect.ContinueWith(
                done => _connects.TryRemove(done, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    private async Task ConnectQuietlyAsync(string origin)
    {
        try
        {
            await SwarmConnectAsync(origin, _closing.Token);
        }
        catch (Exception failure) when (failure is KuboException or OperationCanceledException)
        {
            // An origin is a hint where content may be; the pin finds out whether it is needed (spec/behaviour.md 16.2).
        }
    }

    private async Task StopBackgroundConnectsAsync()
    {
        await _closing.CancelAsync();
        await Task.WhenAll(_connects.Keys);
        _closing.Dispose();
    }
}
