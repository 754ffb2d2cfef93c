namespace Libp2p.Pubsub;

/// <summary>The messages of the last heartbeats, in windows: to answer IWANT, and to gossip about.</summary>
internal sealed class MessageHistory(int length, int gossip)
{
    private readonly Dictionary<MessageId, Entry> messages = [];
    private readonly LinkedList<List<(MessageId Id, string Topic)>> windows = new([[]]);

    public void Add(MessageId id, PubsubMessage message)
    {
        if (!messages.TryAdd(id, new Entry(message))) return;
        windows.First!.Value.Add((id, message.Topic));
    }

    /// <summary>A message that a peer asks for, with how often it has asked, this time included; null when unknown.</summary>
    public (PubsubMessage Message, int Asked)? Ask(MessageId id, PeerId peer)
    {
        if (!messages.TryGetValue(id, out var entry)) return null;
        var asked = entry.Asked.GetValueOrDefault(peer) + 1;
        entry.Asked[peer] = asked;
        return (entry.Message, asked);
    }

    /// <summary>Ids of a topic from the windows that are gossiped about.</summary>
    public List<MessageId> GossipIds(string topic) =>
        [.. windows.Take(gossip).SelectMany(window => window).Where(entry => entry.Topic == topic).Select(entry => entry.Id)];

    /// <summary>A heartbeat has passed.</summary>
    public void Shift()
    {
        if (windows.Count == length)
        {
            foreach (var (id, _) in windows.Last!.Value) messages.Remove(id);
            windows.RemoveLast();
        }
        windows.AddFirst(new List<(MessageId, string)>());
    }

    private sealed record Entry(PubsubMessage Message)
    {
        public Dictionary<PeerId, int> Asked { get; } = [];
    }
}
