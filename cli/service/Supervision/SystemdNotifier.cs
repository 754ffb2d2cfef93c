using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Cluster.Service.Supervision;

/// <summary>Tells systemd what the peer does, when it started this process with type notify (sd_notify).</summary>
internal sealed class SystemdNotifier(string? socketPath, ILogger logger)
{
    public void Ready() => Send("READY=1");

    public void Stopping() => Send("STOPPING=1");

    private void Send(string state)
    {
        if (string.IsNullOrEmpty(socketPath))
            return;
        // A leading @ stands for the abstract namespace, which begins with a zero byte.
        var path = socketPath[0] == '@' ? "\0" + socketPath[1..] : socketPath;
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            socket.SendTo(Encoding.ASCII.GetBytes(state), new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException error)
        {
            SupervisorLog.NotNotified(logger, error.Message);
        }
    }
}
