namespace Cluster.CrdtState.Tests;

/// <summary>Copies of an open database as it lies at one moment: what is done in the background adds files and removes others.</summary>
internal static class DatabaseCopy
{
    /// <summary>Copies what lies in one folder to another.</summary>
    public static void Take(string from, string to)
    {
        while (true)
        {
            var before = Listing(from);
            Directory.CreateDirectory(to);
            try
            {
                foreach (var file in Directory.EnumerateFiles(from).Where(file => Path.GetFileName(file) != "LOCK"))
                    File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
            }
            catch (FileNotFoundException) when (Listing(from) != before)
            {
                // Removed meanwhile; once more.
            }

            if (Listing(from) == before)
                return;
            Directory.Delete(to, recursive: true);
        }
    }

    /// <summary>Which files there are, and how long the list is that the database keeps of them.</summary>
    private static string Listing(string folder) => string.Join(
        '\n',
        new DirectoryInfo(folder).EnumerateFiles().OrderBy(file => file.Name, StringComparer.Ordinal)
            .Select(file => file.Name.StartsWith("MANIFEST", StringComparison.Ordinal) ? $"{file.Name} {file.Length}" : file.Name));
}
