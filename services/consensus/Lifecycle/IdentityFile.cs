using Cluster.Hosting;
using Cluster.Model.Configuration;
using Libp2p;

namespace Cluster.Consensus.Lifecycle;

/// <summary>Reads the peer's identity: <c>identity.json</c>, else what an old <c>service.json</c> holds (spec/config.md 4).</summary>
internal static class IdentityFile
{
    private const string Name = "identity.json";

    /// <summary>The identity, with the environment over it.</summary>
    /// <exception cref="ServiceStartException">There is none that can be used.</exception>
    internal static Identity Load(ServiceOptions options)
    {
        var path = Path.Combine(options.Folder, Name);
        try
        {
            return File.Exists(path)
                ? ClusterIdentity.Load(File.ReadAllText(path), path, options.Environment)
                : ClusterIdentity.ApplyEnvironment(Extract(options.Folder, path), options.Environment);
        }
        catch (Exception e) when (e is ConfigurationException or IOException or UnauthorizedAccessException)
        {
            throw new ServiceStartException("loading configurations", e.Message, e);
        }
    }

    private static Identity Extract(string folder, string path)
    {
        var service = Path.Combine(folder, "service.json");
        var identity = ClusterIdentity.Extract(File.ReadAllText(service));
        using (var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        }))
        {
            file.Write(System.Text.Encoding.UTF8.GetBytes(identity.ToJson()));
        }

        Console.Error.WriteLine($"NOTICE: identity information extracted from {service} and saved as {path}.");
        return identity;
    }
}
