using Cluster.Model.Configuration;
using KuboRpc;

namespace Cluster.Connector.Running;

/// <summary>The section <c>ipfs_connector.ipfshttp</c> as the client takes it.</summary>
internal static class ConnectorSettings
{
    /// <exception cref="FormatException">The daemon's address is none that can be dialled.</exception>
    public static KuboOptions Options(this IpfsHttpSection section) => new()
    {
        Address = DaemonAddress.Parse(section.NodeAddress.ToString()),
        RequestTimeout = section.IpfsRequestTimeout.ToTimeSpan(),
        PinTimeout = section.PinTimeout.ToTimeSpan(),
        UnpinTimeout = section.UnpinTimeout.ToTimeSpan(),
        RepoGcTimeout = section.RepoGcTimeout.ToTimeSpan(),
        UnpinDisabled = section.UnpinDisable,
    };
}
