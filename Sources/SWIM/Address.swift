// Where a member is reached. The room never opens it: it is handed back to the shell as it came.

extension SWIMInstance {
    /// Where a member listens: `HOST:PORT`, as it advertises it.
    public struct Address: Hashable, Comparable, Sendable, ExpressibleByStringLiteral {
        /// Bytes of an address, at most: a host name has up to 253, a port five.
        public static let limitBytes = 259

        /// The address as text.
        public var text: String

        /// Wraps an address.
        public init(_ text: String) {
            self.text = text
        }

        /// Wraps an address that stands in source code.
        public init(stringLiteral text: String) {
            self.text = text
        }

        /// The order of their texts.
        public static func < (lhs: Self, rhs: Self) -> Bool {
            lhs.text < rhs.text
        }
    }
}

extension SWIMInstance.Address: CustomStringConvertible {
    /// The address as text.
    public var description: String { text }
}
