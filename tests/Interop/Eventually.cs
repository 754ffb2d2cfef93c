using System.Diagnostics;
using Xunit;

namespace Interop;

/// <summary>Waits for what nothing tells of.</summary>
internal static class Eventually
{
    // Nothing here takes long; a busy machine does.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static Task HoldsAsync(Func<bool> condition, string what) => HoldsAsync(() => Task.FromResult(condition()), what);

    public static async Task HoldsAsync(Func<Task<bool>> condition, string what)
    {
        for (var waited = Stopwatch.StartNew(); !await condition(); await Task.Delay(20))
            if (waited.Elapsed > Patience) Assert.Fail(what);
    }
}
