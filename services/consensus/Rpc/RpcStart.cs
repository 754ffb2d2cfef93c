using Libp2p;
using Microsoft.Extensions.Hosting;

namespace Cluster.Consensus.Rpc;

/// <summary>Serves the peer RPC while the service runs. Started before the host listens: the first caller is served already.</summary>
public sealed class RpcStart(Libp2pHost host, RpcParts parts) : IHostedService, IDisposable
{
    private PeerRpcEndpoint? _endpoint;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _endpoint = new PeerRpcEndpoint(host, parts);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _endpoint?.Dispose();
        _endpoint = null;
    }
}
