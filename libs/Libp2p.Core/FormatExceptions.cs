namespace Libp2p;

/// <summary>A text or byte string is no peer id.</summary>
public sealed class PeerIdFormatException(string message) : FormatException(message);

/// <summary>A text or byte string is no multiaddress.</summary>
public sealed class MultiaddrFormatException(string message) : FormatException(message);

/// <summary>Bytes are no usable public or private key.</summary>
public sealed class KeyFormatException(string message) : FormatException(message);

/// <summary>An identity document (<c>identity.json</c>) cannot be used.</summary>
public sealed class IdentityFormatException(string message) : FormatException(message);
