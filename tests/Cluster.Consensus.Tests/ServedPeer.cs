using System.Net.Sockets;
using Cluster.Consensus.Clients;
using Cluster.Consensus.Members;
using Cluster.Consensus.Peering;
using Cluster.Consensus.Replication;
using Cluster.Consensus.Rpc;
using Cluster.Consensus.Services;
using Cluster.Consensus.Tests.Peering;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Tests;

/// <summary>A peer's core behind a real gRPC server on a Unix socket, and a client of it.</summary>
internal sealed class ServedPeer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly GrpcChannel _channel;
    private readonly string _socket;

    private ServedPeer(Peer peer, ClusterPeering peering, WebApplication application, GrpcChannel channel, string socket)
    {
        Peer = peer;
        Peering = peering;
        _application = application;
        _channel = channel;
        _socket = socket;
        Cluster = new V1.Cluster.ClusterClient(channel);
        State = new V1.State.StateClient(channel);
        Network = new V1.PeerNetwork.PeerNetworkClient(channel);
    }

    public Peer Peer { get; }

    public ClusterPeering Peering { get; }

    public V1.Cluster.ClusterClient Cluster { get; }

    public V1.State.StateClient State { get; }

    public V1.PeerNetwork.PeerNetworkClient Network { get; }

    public static async Task<ServedPeer> StartAsync(ClusterSettings? settings = null)
    {
        var setup = NetworkPeer.SettingsFor();
        var network = new ClusterNetwork(setup, TimeProvider.System, NullLoggerFactory.Instance);
        var peer = new Peer(settings, remote: new RemotePeers(network.Host, TimeProvider.System));
        var peering = new ClusterPeering(network, setup, peer.Consensus, peer.Remote, peer.Tracker, peer.Metrics, _ => Task.CompletedTask, TimeProvider.System, NullLoggerFactory.Instance);
        await peering.StartAsync(CancellationToken.None);
        var socket = Path.Combine(Path.GetTempPath(), $"c{Guid.NewGuid():n}.sock");
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.ConfigureKestrel(k => k.ListenUnixSocket(socket, l => l.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(peer.Parts).AddSingleton(peering).AddSingleton<IConsensus>(peer.Consensus).AddSingleton(peer.SelfPeer)
            .AddSingleton<ITracker>(peer.Tracker).AddSingleton<IDaemon>(peer.Daemon).AddSingleton<IRemotePeers>(peer.Remote);
        builder.Services.AddSingleton<ClusterService>().AddSingleton<StateService>().AddSingleton<PeerNetworkService>();
        var application = builder.Build();
        application.MapGrpcService<ClusterService>();
        application.MapGrpcService<StateService>();
        application.MapGrpcService<PeerNetworkService>();
        await application.StartAsync();
        var channel = GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler
            {
                ConnectCallback = async (_, token) =>
                {
                    var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                    await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), token);
                    return new NetworkStream(connection, ownsSocket: true);
                },
            },
        });
        return new ServedPeer(peer, peering, application, channel, socket);
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await _application.DisposeAsync();
        await Peering.DisposeAsync();
        await Peer.DisposeAsync();
        File.Delete(_socket);
    }
}
