using Ipld;
using Microsoft.Extensions.Logging;

namespace Libp2p.Bitswap;

/// <summary>What bitswap logs. Ids are stable; 2200 to 2299 belong to bitswap.</summary>
internal sealed partial class BitswapLog(ILogger logger)
{
    [LoggerMessage(2200, LogLevel.Warning, "{Peer} sends no bitswap messages but garbage; its stream is reset: {Reason}")]
    public partial void Garbage(PeerId peer, string reason);

    [LoggerMessage(2201, LogLevel.Debug, "Bitswap answer to {Peer} failed: {Reason}")]
    public partial void AnswerFailed(PeerId peer, string reason);

    [LoggerMessage(2202, LogLevel.Debug, "Bitswap wants could not be sent to {Peer}: {Reason}")]
    public partial void SendFailed(PeerId peer, string reason);

    [LoggerMessage(2203, LogLevel.Debug, "Block {Cid} of {Peer} is not wanted; it is dropped.")]
    public partial void Unwanted(Cid cid, PeerId peer);

    [LoggerMessage(2204, LogLevel.Error, "The block store failed to {Action} {Cid}.")]
    public partial void StoreFailed(Exception exception, string action, Cid cid);

    [LoggerMessage(2205, LogLevel.Warning, "{Peer} wants more than {Limit} blocks that are not here; further ones are not remembered.")]
    public partial void TooManyWants(PeerId peer, int limit);

    [LoggerMessage(2206, LogLevel.Error, "Block {Cid} has {Size} bytes, more than a bitswap message holds; it cannot be served.")]
    public partial void BlockTooLarge(Cid cid, int size);

    [LoggerMessage(2207, LogLevel.Error, "Serving blocks to {Peer} failed.")]
    public partial void ServingFailed(Exception exception, PeerId peer);
}
