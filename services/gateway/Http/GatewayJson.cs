using System.Text.Json.Serialization;

namespace Cluster.Gateway.Http;

/// <summary>Generated JSON metadata, so that nothing is looked up by reflection at the start.</summary>
[JsonSerializable(typeof(string))]
internal sealed partial class GatewayJson : JsonSerializerContext;
