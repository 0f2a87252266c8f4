// What a message may hold: checked before memory is taken.

extension SWIMInstance {
    /// Upper bounds of what is accepted from the network, whatever the settings.
    public enum WireLimits {
        /// Updates in one message; a push-pull has one for each member.
        public static let updates = 4_096
        /// Bytes of one update.
        public static let updateBytes = 2_048
        /// Bytes of one message over a stream.
        public static let messageBytes = 4 << 20
        /// The protocol's version, sent with each message.
        ///
        /// A message names the oldest version that can read it, too; one that asks for more than
        /// this is refused. New fields alone need no new version: readers skip what they do not
        /// know.
        public static let version = 1
    }
}
