using System.Buffers.Binary;
using System.Globalization;
using System.Net;

namespace Cluster.EndToEnd.Tests.Clusters;

/// <summary>Sockets as the kernel knows them.</summary>
internal static class Sockets
{
    /// <summary>The inode of the IPv4 TCP socket with this local address; null when there is none.</summary>
    public static long? InodeOf(IPEndPoint local)
    {
        // "0100007F:1F90": the address as a number in the machine's byte order, then the port.
        var address = BinaryPrimitives.ReadUInt32LittleEndian(local.Address.MapToIPv4().GetAddressBytes());
        var wanted = string.Create(CultureInfo.InvariantCulture, $"{address:X8}:{local.Port:X4}");
        foreach (var line in File.ReadLines("/proc/net/tcp").Skip(1))
        {
            var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields[1] == wanted && long.Parse(fields[9], CultureInfo.InvariantCulture) is var inode && inode != 0)
                return inode;
        }

        return null;
    }

    /// <summary>Whether a process has the socket of an inode open.</summary>
    public static bool IsHeldBy(int pid, long inode)
    {
        var wanted = string.Create(CultureInfo.InvariantCulture, $"socket:[{inode}]");
        string[] descriptors;
        try
        {
            descriptors = Directory.GetFileSystemEntries($"/proc/{pid}/fd");
        }
        catch (IOException)
        {
            return false; // it ended
        }

        foreach (var descriptor in descriptors)
        {
            try
            {
                if (new FileInfo(descriptor).LinkTarget == wanted)
                    return true;
            }
            catch (IOException)
            {
                // It was closed meanwhile.
            }
        }

        return false;
    }
}
