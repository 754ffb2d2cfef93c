using Ipld;

namespace KuboRpc;

/// <summary>CIDs as daemons print them: any base, with or without <c>/ipfs/</c> (spec/local-ipfs.md).</summary>
internal static class DaemonCid
{
    private const string Prefix = "/ipfs/";

    /// <exception cref="DaemonAnswerException">The text is no CID.</exception>
    public static Cid Parse(string text)
    {
        var bare = text.StartsWith(Prefix, StringComparison.Ordinal) ? text[Prefix.Length..] : text;
        return Cid.TryParse(bare, out var cid, out var why) ? cid : throw new DaemonAnswerException($"the daemon names a CID \"{text}\": {why}");
    }
}
