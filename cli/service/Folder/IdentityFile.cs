using Cluster.Hosting;
using Cluster.Hosting.Configuration;
using Cluster.Model.Configuration;

namespace Cluster.Service.Folder;

/// <summary>Checks <c>identity.json</c>, and makes it from an old <c>service.json</c> that still has the identity (spec/config.md 4).</summary>
internal static class IdentityFile
{
    /// <exception cref="ServiceStartException">There is no usable identity.</exception>
    public static async Task EnsureAsync(
        PeerFolder folder, IReadOnlyDictionary<string, string> environment, TextWriter say, CancellationToken cancellationToken)
    {
        try
        {
            if (File.Exists(folder.Identity))
            {
                _ = ClusterIdentity.Load(await File.ReadAllTextAsync(folder.Identity, cancellationToken), folder.Identity, environment);
                return;
            }

            var identity = ClusterIdentity.Extract(await File.ReadAllTextAsync(folder.Configuration, cancellationToken));
            PeerFolder.WriteSecret(folder.Identity, identity.ToJson());
            await say.WriteAsync(
                $"NOTICE: identity information extracted from {folder.Configuration} and saved as {folder.Identity}.\n");
        }
        catch (ConfigurationException error)
        {
            throw new ServiceStartException("loading configurations", error.Message, error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ServiceStartException("loading configurations", ConfigurationFile.Reason(folder.Identity, error), error);
        }
    }
}
