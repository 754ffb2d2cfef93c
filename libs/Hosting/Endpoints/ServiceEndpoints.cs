namespace Cluster.Hosting;

/// <summary>Where the services of a peer are: as the environment says, else sockets in the configuration folder.</summary>
public sealed class ServiceEndpoints
{
    /// <summary>
    /// Longest path that fits a socket address on Linux (<c>sun_path</c> less its terminating zero). Folders deeper than that get
    /// their sockets under the system's temporary folder.
    /// </summary>
    private const int LongestSocketPath = 107;

    private readonly string folder;
    private readonly Func<string, string?> environment;

    /// <summary>The endpoints of a peer.</summary>
    /// <param name="folder">The configuration folder.</param>
    /// <param name="environment">Reads a variable; null when it is not set.</param>
    public ServiceEndpoints(string folder, Func<string, string?> environment)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(environment);
        this.folder = Path.GetFullPath(folder);
        this.environment = environment;
        SocketFolder = ChooseSocketFolder(this.folder);
    }

    /// <summary>The folder of the sockets; mode 0700.</summary>
    public string SocketFolder { get; }

    /// <summary>Where a service is.</summary>
    /// <exception cref="ServiceStartException">The variable of the service is set to something else than an endpoint.</exception>
    public ServiceEndpoint Of(ServiceName service)
    {
        ArgumentNullException.ThrowIfNull(service);
        if (environment(service.EndpointVariable) is not { Length: > 0 } text)
            return new ServiceEndpoint.Socket(Path.Combine(SocketFolder, service.Name + ".sock"));
        try
        {
            return ServiceEndpoint.Parse(text);
        }
        catch (FormatException error)
        {
            throw new ServiceStartException($"reading {service.EndpointVariable}", error.Message, error);
        }
    }

    /// <summary>Makes the folder of the sockets, for this user only.</summary>
    public void CreateSocketFolder()
    {
        const UnixFileMode ownerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        Directory.CreateDirectory(SocketFolder, ownerOnly);
        File.SetUnixFileMode(SocketFolder, ownerOnly);
    }

    private static string ChooseSocketFolder(string folder)
    {
        var own = Path.Combine(folder, "run");
        if (System.Text.Encoding.UTF8.GetByteCount(own) + "/consensus.sock".Length <= LongestSocketPath)
            return own;
        var hash = System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(own));
        return Path.Combine(Path.GetTempPath(), "cluster-run-" + Convert.ToHexStringLower(hash.AsSpan(0, 12)));
    }
}
