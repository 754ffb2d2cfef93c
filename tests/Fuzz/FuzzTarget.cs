namespace Fuzz;

/// <summary>
/// A parser under attack. It returns for good input and for input that it refuses with its own exceptions; whatever
/// else comes out of it (index out of range, overflow, out of memory, a hang) is a finding.
/// </summary>
/// <remarks>
/// Targets are static methods <c>void Fuzz(ReadOnlySpan&lt;byte&gt;)</c>, one class a parser, in a folder named after
/// the library. A coverage-guided fuzzer can call them as they are; <see cref="FuzzRunner"/> runs them briefly in tests.
/// </remarks>
public delegate void FuzzTarget(ReadOnlySpan<byte> input);
