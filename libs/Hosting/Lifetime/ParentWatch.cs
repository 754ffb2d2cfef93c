namespace Cluster.Hosting.Lifetime;

/// <summary>
/// Notices that the supervisor ended or asks for the stop: it holds the other end of this process' standard input, which the
/// kernel closes with it, whatever ended it.
/// </summary>
internal sealed class ParentWatch
{
    private readonly Action ended;

    private ParentWatch(Action ended) => this.ended = ended;

    /// <summary>Calls <paramref name="ended"/> once, when standard input ends. Uses a thread of its own: reading from it blocks.</summary>
    public static void Start(Action ended)
    {
        var watch = new ParentWatch(ended);
        new Thread(watch.Run, 256 << 10) { IsBackground = true, Name = "parent watch" }.Start();
    }

    private void Run()
    {
        using var input = Console.OpenStandardInput();
        Span<byte> ignored = stackalloc byte[64];
        try
        {
            while (input.Read(ignored) > 0)
            {
                // The supervisor sends nothing; only the end counts.
            }
        }
        catch (IOException)
        {
            // A broken input is an ended one.
        }

        ended();
    }
}
