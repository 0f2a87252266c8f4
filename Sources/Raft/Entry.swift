// What the replicated log is made of.

import Primitives

extension RaftInstance {
    /// A period with at most one leader, numbered from 1; 0 is before the first (section 5.1).
    public typealias Term = UInt64

    /// A place in the log, numbered from 1; 0 is before the first.
    public typealias LogIndex = UInt64

    /// One entry of the log: what to apply, and where and in which term it was appended.
    public struct Entry: Equatable, Sendable {
        /// What an entry brings.
        public enum Payload: Equatable, Sendable {
            /// Nothing: a new leader's first entry, which commits those of earlier terms (5.4.2).
            case noOperation
            /// A command of the state machine; its bytes mean nothing here.
            case command([UInt8])
            /// The members from this entry on (dissertation section 4.1).
            case configuration(Configuration)
        }

        /// The term whose leader appended it.
        public var term: Term
        /// Its place.
        public var index: LogIndex
        /// What it brings.
        public var payload: Payload

        /// Puts an entry together.
        public init(term: Term, index: LogIndex, payload: Payload) {
            self.term = term
            self.index = index
            self.payload = payload
        }

        /// About what the entry takes in memory and in a message: its bytes and 16 for the rest.
        var weight: Int {
            switch payload {
            case .noOperation: 16
            case .command(let bytes): 16 + bytes.count
            case .configuration(let configuration): 16 + 10 * configuration.members.count
            }
        }
    }
}
