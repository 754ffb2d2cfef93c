namespace Cluster.Hosting.Lifetime;

/// <summary>
/// Notices that the supervisor asks for the stop or has died: it holds the other end of this process' standard input. It asks by
/// writing something and closing it; without that, the kernel has closed it, as whatever ended the supervisor.
/// </summary>
internal sealed class ParentWatch
{
    private readonly Action asked;
    private readonly Action died;

    private ParentWatch(Action asked, Action died)
    {
        this.asked = asked;
        this.died = died;
    }

    /// <summary>Calls one of the two, when standard input ends. Uses a thread of its own: reading from it blocks.</summary>
    public static void Start(Action asked, Action died)
    {
        var watch = new ParentWatch(asked, died);
        new Thread(watch.Run, 256 << 10) { IsBackground = true, Name = "parent watch" }.Start();
    }

    private void Run()
    {
        using var input = Console.OpenStandardInput();
        Span<byte> words = stackalloc byte[64];
        var any = false;
        try
        {
            while (input.Read(words) > 0)
                any = true;
        }
        catch (IOException)
        {
            // A broken input is an ended one.
        }

        (any ? asked : died)();
    }
}
