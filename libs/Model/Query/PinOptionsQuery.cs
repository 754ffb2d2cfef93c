using System.Globalization;
using Ipld;
using Libp2p;

namespace Cluster.Model;

/// <summary>Pin options as query parameters (spec/rest-api.md 7).</summary>
public static class PinOptionsQuery
{
    private const string MetadataPrefix = "meta-";

    /// <summary>
    /// Reads the options; <paramref name="now"/> is what <c>expire-in</c> counts from. On a false return <paramref name="options"/> holds
    /// what was read before the bad parameter and <paramref name="error"/> the original's text.
    /// </summary>
    public static bool TryParse(GoQuery query, GoTime now, out PinOptions options, out string error)
    {
        ArgumentNullException.ThrowIfNull(query);
        error = string.Empty;
        options = new PinOptions { Name = query.Get("name"), Mode = PinModes.Parse(query.Get("mode")) };

        var both = query.Get("replication");
        if (!TryFactor(both.Length > 0 ? both : query.Get("replication-min"), out var minimum))
            return Fail("parameter replication-min invalid", out error);
        options = options with { Replication = new(minimum, 0) };
        if (!TryFactor(both.Length > 0 ? both : query.Get("replication-max"), out var maximum))
            return Fail("parameter replication-max invalid", out error);
        options = options with { Replication = new(minimum, maximum) };

        if (query.Get("shard-size") is { Length: > 0 } sizeText)
        {
            if (!ulong.TryParse(sizeText, NumberStyles.None, CultureInfo.InvariantCulture, out var size))
                return Fail("parameter shard_size is invalid", out error);
            options = options with { ShardSize = size };
        }

        if (query.Get("user-allocations") is { Length: > 0 } peers)
            options = options with { UserAllocations = ParsePeers(peers) };

        if (query.Get("expire-at") is { Length: > 0 } at)
        {
            if (!GoTime.TryParseStrict(at, out var expireAt, out var complaint))
                return Fail("expire-at cannot be parsed: " + complaint, out error);
            options = options with { ExpireAt = expireAt };
        }
        else if (query.Get("expire-in") is { Length: > 0 } within)
        {
            if (!GoDuration.TryParse(within, out var expireIn, out var complaint))
                return Fail("expire-in cannot be parsed: " + complaint, out error);
            if (expireIn < GoDuration.FromSeconds(1))
                return Fail("expire-in duration too short", out error);
            options = options with { ExpireAt = now.Add(expireIn) };
        }

        options = options with { Metadata = ParseMetadata(query) };

        if (query.Get("pin-update") is { Length: > 0 } update)
        {
            if (!Cid.TryParse(update, out var source, out var complaint))
                return Fail("error decoding update option parameter: " + complaint, out error);
            options = options with { PinUpdate = source };
        }

        if (query.Get("origins") is { Length: > 0 } originsText)
        {
            if (!TryOrigins(originsText, out var origins, out error))
                return false;
            options = options with { Origins = origins };
        }

        return true;
    }

    /// <summary>Prints the options as the original's client does: sorted, empty values present.</summary>
    public static string ToQuery(PinOptions options) => ToValues(options).ToString();

    /// <summary>The parameters that <see cref="ToQuery"/> prints, to be added to.</summary>
    public static GoQuery ToValues(PinOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var query = GoQuery.Parse(string.Empty)
            .Set("replication-min", options.Replication.Minimum.ToString(CultureInfo.InvariantCulture))
            .Set("replication-max", options.Replication.Maximum.ToString(CultureInfo.InvariantCulture))
            .Set("name", options.Name)
            .Set("mode", options.Mode.ToText())
            .Set("shard-size", options.ShardSize.ToString(CultureInfo.InvariantCulture))
            .Set("user-allocations", string.Join(',', (options.UserAllocations ?? []).Select(peer => peer.ToString())));
        if (!options.ExpireAt.IsZero)
            query.Set("expire-at", options.ExpireAt.ToString());
        foreach (var (key, value) in options.Metadata ?? Metadata.Empty)
        {
            if (key.Length > 0)
                query.Set(MetadataPrefix + key, value);
        }

        if (options.PinUpdate.IsDefined)
            query.Set("pin-update", options.PinUpdate.ToString()!);
        if (options.Origins is { Count: > 0 } origins)
            query.Set("origins", string.Join(',', origins.Select(origin => origin.ToString())));
        return query;
    }

    /// <summary>The peer ids of a comma list; those that cannot be read are dropped.</summary>
    public static IReadOnlyList<PeerId> ParsePeers(string list)
    {
        ArgumentNullException.ThrowIfNull(list);
        var peers = new List<PeerId>();
        foreach (var text in list.Split(','))
        {
            if (PeerId.TryParse(text, out var peer, out _))
                peers.Add(peer);
        }

        return peers;
    }

    private static bool TryOrigins(string list, out List<Multiaddr> origins, out string error)
    {
        origins = [];
        foreach (var text in list.Split(','))
        {
            if (!GoAddresses.TryParseMultiaddr(text, out var origin, out var complaint))
                return Fail("error decoding multiaddress: " + complaint, out error);
            if (origin.PeerId is null)
                return Fail("multiaddress does not contain peer ID: protocol not found in multiaddr", out error);
            origins.Add(origin);
        }

        error = string.Empty;
        return true;
    }

    private static Metadata ParseMetadata(GoQuery query)
    {
        List<KeyValuePair<string, string>>? entries = null;
        foreach (var (name, _) in query.Pairs)
        {
            if (name.Length > MetadataPrefix.Length && name.StartsWith(MetadataPrefix, StringComparison.Ordinal))
                (entries ??= []).Add(new(name[MetadataPrefix.Length..], query.Get(name)));
        }

        return entries is null ? Metadata.Empty : Metadata.From(entries);
    }

    private static bool TryFactor(string text, out int factor)
    {
        factor = 0;
        return text.Length == 0 || int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out factor);
    }

    private static bool Fail(string text, out string error)
    {
        error = text;
        return false;
    }
}
