// What a message or a record may hold: checked before memory is taken.

/// Upper bounds of what is accepted from the network or a file, whatever the settings.
public enum WireLimits {
    /// Terms and indices: at a million a second it lasts for 100,000 years, so that whatever is
    /// above it is an error, and counting on from anything below cannot overflow.
    public static let number: UInt64 = 1 << 62
    /// Bytes of one command.
    public static let payloadBytes = 16 << 20
    /// Entries of one append message.
    public static let entries = 4_096
    /// Members of a configuration.
    public static let members = 1_024
    /// Bytes of one chunk of a snapshot.
    public static let chunkBytes = 1 << 20
}
