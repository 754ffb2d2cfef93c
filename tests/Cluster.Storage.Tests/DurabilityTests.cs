using System.Buffers.Binary;
using System.Diagnostics;

namespace Cluster.Storage.Tests;

/// <summary>A process is killed while it writes; everything that it reported as written is there afterwards.</summary>
public sealed class DurabilityTests
{
    private static readonly DatabaseOptions Options = new() { Format = new FormatVersion("durability", 1) };

    [Fact]
    public async Task Whatever_was_acknowledged_survives_kill_9()
    {
        using var folder = new TemporaryFolder();
        for (var round = 0; round < 3; round++)
        {
            var acknowledged = await KillAfterAsync(folder.Database, lines: 40 + round * 35);
            using var database = Database.Open(folder.Database, Options);
            var key = new byte[9];
            key[0] = (byte)'k';
            for (long i = 0; i <= acknowledged; i++)
            {
                BinaryPrimitives.WriteInt64BigEndian(key.AsSpan(1), i);
                var value = database.GetBytes(key);
                Assert.True(value is not null, $"{i} was acknowledged (up to {acknowledged}) and is lost");
                Assert.Equal(i, BinaryPrimitives.ReadInt64BigEndian(value));

                // The twin was written in the same batch.
                key[0] = (byte)'t';
                Assert.True(database.Contains(key));
                key[0] = (byte)'k';
            }
        }
    }

    private static async Task<long> KillAfterAsync(string path, int lines)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!.EndsWith("dotnet", StringComparison.Ordinal) ? Environment.ProcessPath! : "dotnet")
        {
            RedirectStandardOutput = true,
        };
        start.ArgumentList.Add("exec");
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "storage-writer.dll"));
        start.ArgumentList.Add(path);
        using var process = Process.Start(start)!;
        var last = -1L;
        try
        {
            for (var i = 0; i < lines; i++)
            {
                var line = await process.StandardOutput.ReadLineAsync();
                Assert.NotNull(line);
                last = long.Parse(line);
            }
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }

        // What it had reported before the signal reached it counts too.
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (long.TryParse(line, out var number))
                last = number;
        }

        return last;
    }
}
