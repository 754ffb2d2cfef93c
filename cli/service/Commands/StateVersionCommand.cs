using System.Globalization;
using Cluster.CommandLine;
using Cluster.PinState;

namespace Cluster.Service.Commands;

/// <summary>
/// <c>state version</c>: the version of the state's format. Old scripts ask for it before an upgrade; v1.1.6 has it no more, so help does
/// not list it.
/// </summary>
internal static class StateVersionCommand
{
    public static Command Create() => new("version", "display the state format version")
    {
        Hidden = true,
        Action = static async (invocation, _) =>
        {
            await invocation.Output.WriteAsync(PinStore.Format.Version.ToString(CultureInfo.InvariantCulture) + "\n");
            return 0;
        },
    };
}
