namespace Grpc.Core.Utils;

/// <summary>Checks of arguments and states, for code written against the older API.</summary>
public static class GrpcPreconditions
{
    /// <summary>Throws <see cref="ArgumentException"/> unless the condition holds.</summary>
    public static void CheckArgument(bool condition)
    {
        if (!condition)
            throw new ArgumentException("The argument is not valid.", nameof(condition));
    }

    /// <summary>Throws <see cref="ArgumentException"/> with a message unless the condition holds.</summary>
    public static void CheckArgument(bool condition, string errorMessage)
    {
        if (!condition)
            throw new ArgumentException(errorMessage, nameof(condition));
    }

    /// <summary>Throws <see cref="ArgumentNullException"/> for null, else returns the argument.</summary>
    public static T CheckNotNull<T>(T reference) => reference ?? throw new ArgumentNullException(nameof(reference));

    /// <summary>Throws <see cref="ArgumentNullException"/> naming the parameter for null, else returns the argument.</summary>
    public static T CheckNotNull<T>(T reference, string paramName) => reference ?? throw new ArgumentNullException(paramName);

    /// <summary>Throws <see cref="InvalidOperationException"/> unless the condition holds.</summary>
    public static void CheckState(bool condition)
    {
        if (!condition)
            throw new InvalidOperationException();
    }

    /// <summary>Throws <see cref="InvalidOperationException"/> with a message unless the condition holds.</summary>
    public static void CheckState(bool condition, string errorMessage)
    {
        if (!condition)
            throw new InvalidOperationException(errorMessage);
    }
}
