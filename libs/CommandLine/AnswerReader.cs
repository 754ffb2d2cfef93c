namespace Cluster.CommandLine;

/// <summary>
/// Reads answers byte by byte, so that what follows an answer stays in the stream: <c>(echo y; cat state.json) | program</c>. For short
/// answers in ASCII; other bytes are taken as Latin-1.
/// </summary>
internal sealed class AnswerReader(Stream input) : TextReader
{
    public override int Read()
    {
        Span<byte> one = stackalloc byte[1];
        return input.Read(one) == 1 ? one[0] : -1;
    }
}
