using System.Net;

namespace Libp2p;

/// <summary>Looks names up.</summary>
public interface IDnsResolver
{
    /// <summary>Addresses of a host (A and AAAA). Empty if the name does not exist.</summary>
    Task<IReadOnlyList<IPAddress>> ResolveAddressesAsync(string name, CancellationToken cancellationToken);

    /// <summary>Text records of a name. Empty if there are none.</summary>
    Task<IReadOnlyList<string>> ResolveTextAsync(string name, CancellationToken cancellationToken);
}
