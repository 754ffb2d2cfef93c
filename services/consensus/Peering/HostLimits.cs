using System.Globalization;
using Cluster.Model.Configuration;
using Libp2p;

namespace Cluster.Consensus.Peering;

/// <summary>The limits that <c>resource_manager</c> asks for (spec/config.md 3.1, spec/libp2p.md 13): shares of the machine where it says 0.</summary>
/// <param name="Limits">For the host.</param>
/// <param name="Memory">Bytes in all; 0 without limits.</param>
/// <param name="Descriptors">Connections in all; 0 without limits.</param>
internal sealed record HostLimits(ResourceLimits Limits, long Memory, int Descriptors)
{
    private const long SmallestMemory = 1 << 20;
    private const int UsualDescriptors = 1024;

    internal static HostLimits Of(ResourceManagerSettings settings) => Of(
        settings, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, File.Exists("/proc/self/limits") ? File.ReadLines("/proc/self/limits") : []);

    /// <param name="settings">The configuration.</param>
    /// <param name="machineMemory">Bytes that the machine or the container has.</param>
    /// <param name="processLimits">The lines of <c>/proc/self/limits</c>.</param>
    internal static HostLimits Of(ResourceManagerSettings settings, long machineMemory, IEnumerable<string> processLimits)
    {
        if (!settings.Enabled)
            return new HostLimits(ResourceLimits.Unlimited, 0, 0);
        var memory = Math.Max(SmallestMemory, settings.MemoryLimitBytes > 0 ? (long)Math.Min(settings.MemoryLimitBytes, long.MaxValue) : machineMemory / 4);
        var descriptors = settings.FileDescriptorsLimit > 0 ? (int)Math.Min(settings.FileDescriptorsLimit, int.MaxValue) : OpenFiles(processLimits) / 2;
        var streamsPerPeer = 256 + (int)Math.Min(128 * (memory >> 30), 1 << 16);
        var limits = new ResourceLimits
        {
            Connections = descriptors,
            InboundConnections = Math.Max(1, descriptors / 2),
            InboundStreamsPerPeer = streamsPerPeer,
            InboundStreamsPerPeerAndProtocol = streamsPerPeer,
            Memory = memory,
            MemoryPerPeer = Math.Max(SmallestMemory, memory / 4),
        };
        return new HostLimits(limits, memory, descriptors);
    }

    private static int OpenFiles(IEnumerable<string> processLimits)
    {
        const string name = "Max open files";
        var line = processLimits.FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal));
        var soft = line?[name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
        return int.TryParse(soft, CultureInfo.InvariantCulture, out var count) ? count : UsualDescriptors;
    }
}
