namespace Cluster.Service.Folder;

/// <summary>The files of a configuration folder (spec/config.md 1).</summary>
internal sealed class PeerFolder
{
    private const UnixFileMode OwnerReadsAndWrites = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public PeerFolder(string path) => Root = Path.GetFullPath(path);

    /// <summary>The folder itself, absolute.</summary>
    public string Root { get; }

    public string Configuration => Path.Combine(Root, "service.json");

    public string Identity => Path.Combine(Root, "identity.json");

    /// <summary>Whether something is there at a path, or what is there hinders to know.</summary>
    public static bool MayExist(string path)
    {
        try
        {
            _ = File.GetAttributes(path);
            return true;
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            // A file where a folder should be is not "does not exist": whoever writes next gets the error.
            return File.Exists(Path.GetDirectoryName(path));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    /// <summary>Makes the folder for its owner only, with the folders above it.</summary>
    public static void Create(string path)
    {
        if (!Directory.Exists(path))
            Directory.CreateDirectory(path, OwnerReadsAndWrites | UnixFileMode.UserExecute);
    }

    /// <summary>Writes a file that only its owner may read, in one step: a crash leaves the old or the new text.</summary>
    public static void WriteSecret(string path, string text) => Write(path, text, OwnerReadsAndWrites);

    /// <summary>Writes a file that everybody may read.</summary>
    public static void WritePublic(string path, string text) =>
        Write(path, text, OwnerReadsAndWrites | UnixFileMode.GroupRead | UnixFileMode.OtherRead);

    private static void Write(string path, string text, UnixFileMode mode)
    {
        var temporary = path + ".new";
        using (var file = new FileStream(temporary, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = mode }))
        {
            file.Write(System.Text.Encoding.UTF8.GetBytes(text));
            file.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
    }
}
