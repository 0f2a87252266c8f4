// What this build calls itself.

/// The build's version, and the one that clients are told.
public enum KilnVersion {
    /// This build.
    public static let current = "0.1.0"
    /// The answer to `version`: clients take features from the number, so it begins with the
    /// memcached version whose protocol is spoken.
    public static let memcached: StaticString = "1.6.18-kiln-0.1.0"
}
