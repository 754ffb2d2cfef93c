namespace Fuzz;

/// <summary>States what must hold whatever the input.</summary>
public static class Check
{
    /// <summary>Throws when it does not hold.</summary>
    public static void That(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new InvalidOperationException(otherwise);
        }
    }
}
