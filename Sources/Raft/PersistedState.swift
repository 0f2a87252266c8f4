// What must survive a crash: Figure 2, "Persistent state on all servers", and the snapshot.

public import Primitives

extension RaftInstance {
    /// The newest term a server has seen and whom it voted for in it.
    public struct HardState: Equatable, Sendable {
        /// The newest term seen.
        public var term: Term
        /// Who got this server's vote in ``term``, if anybody.
        public var vote: NodeID?

        /// A term and the vote in it.
        public init(term: Term = 0, vote: NodeID? = nil) {
            self.term = term
            self.vote = vote
        }
    }

    /// The state machine's state after an entry, in place of the log up to there (section 7).
    public struct Snapshot: Equatable, Sendable {
        /// The last entry that it contains.
        public var index: LogIndex
        /// That entry's term.
        public var term: Term
        /// The members as of that entry.
        public var configuration: Configuration
        /// The state machine's state; its bytes mean nothing here.
        public var data: [UInt8]

        /// The state after entry `index` of `term`; without arguments, before the first.
        public init(
            index: LogIndex = 0, term: Term = 0, configuration: Configuration = Configuration(),
            data: [UInt8] = []
        ) {
            self.index = index
            self.term = term
            self.configuration = configuration
            self.data = data
        }
    }

    /// What a server starts from: what the disk gave back.
    public struct PersistedState: Equatable, Sendable {
        /// Term and vote.
        public var hardState: HardState
        /// The newest snapshot.
        public var snapshot: Snapshot
        /// The log, consecutive; entries that ``snapshot`` contains may still be among them.
        public var entries: [Entry]

        /// A state read from a disk; without arguments that of a new server, which joins by being
        /// added as a learner and knows nothing until a leader writes to it.
        public init(
            hardState: HardState = HardState(), snapshot: Snapshot = Snapshot(),
            entries: [Entry] = []
        ) {
            self.hardState = hardState
            self.snapshot = snapshot
            self.entries = entries
        }

        /// The state in which a new cluster begins, the same on each of its founders and to be on
        /// their disks before they run.
        ///
        /// The members stand in a snapshot at index 1: a server that comes later with an empty log
        /// is sent that one, and so learns what no entry tells.
        public static func founding(voters: [NodeID], data: [UInt8] = []) -> PersistedState {
            PersistedState(
                hardState: HardState(term: 1),
                snapshot: Snapshot(
                    index: 1, term: 1, configuration: Configuration(voters: voters), data: data))
        }

        /// The entries that follow ``snapshot``.
        ///
        /// A crash may have come between a snapshot from the leader and the end of the log that it
        /// replaces. So what follows the snapshot's index counts only where the log agrees with the
        /// snapshot about that entry's term.
        ///
        /// - Throws: ``RaftError/gapInLog(expected:found:)`` where an entry is missing.
        func entriesAfterSnapshot() throws(RaftError) -> [Entry] {
            guard let first = entries.first else { return [] }
            for (offset, entry) in entries.enumerated()
            where entry.index != first.index + LogIndex(offset) {
                throw .gapInLog(expected: first.index + LogIndex(offset), found: entry.index)
            }
            guard first.index <= snapshot.index else {
                guard first.index == snapshot.index + 1 else {
                    throw .gapInLog(expected: snapshot.index + 1, found: first.index)
                }
                return entries
            }
            let offset = Int(snapshot.index - first.index)
            guard offset < entries.count, entries[offset].term == snapshot.term else { return [] }
            return Array(entries[(offset + 1)...])
        }

        /// Whether a crash came before the log was reset to a leader's snapshot: then what is on
        /// disk must be reset before anything is appended to it.
        var logMissesItsSnapshot: Bool {
            guard let last = entries.last else { return false }
            guard last.index >= snapshot.index else { return true }
            return entries.contains { $0.index == snapshot.index && $0.term != snapshot.term }
        }

        /// Checks that a server can start from this.
        ///
        /// - Throws: ``RaftError`` where entries are missing or terms contradict each other.
        public func validate() throws(RaftError) {
            _ = try Log(self)
        }
    }

    /// What one step asks to have on disk before anything it says leaves the server.
    ///
    /// Carried out in the order of the fields. A crash may leave any prefix of it done.
    public struct Persistence: Equatable, Sendable {
        /// Term and vote, if they changed: replaced as one.
        public var hardState: HardState?
        /// A newer snapshot: replaces the one before as one; then the entries it contains may go.
        public var snapshot: Snapshot?
        /// Whether ``snapshot`` came from the leader in place of the log: no entry on disk counts.
        public var resetsLog: Bool
        /// Entries to append.
        ///
        /// Entries on disk from the first one's index on are replaced by them.
        public var entries: [Entry]

        /// What to write; without arguments, nothing.
        public init(
            hardState: HardState? = nil, snapshot: Snapshot? = nil, resetsLog: Bool = false,
            entries: [Entry] = []
        ) {
            self.hardState = hardState
            self.snapshot = snapshot
            self.resetsLog = resetsLog
            self.entries = entries
        }

        /// Whether there is nothing to write.
        public var isEmpty: Bool {
            hardState == nil && snapshot == nil && entries.isEmpty
        }
    }
}

extension RaftInstance.PersistedState {
    /// What a disk that did all of `persistence` gives back; for tests and simulated disks.
    public mutating func apply(_ persistence: RaftInstance.Persistence) {
        if let hardState = persistence.hardState { self.hardState = hardState }
        if let snapshot = persistence.snapshot {
            self.snapshot = snapshot
            if persistence.resetsLog { entries = [] }
            entries.removeAll { $0.index <= snapshot.index }
        }
        if let first = persistence.entries.first {
            entries.removeAll { $0.index >= first.index }
            entries += persistence.entries
        }
    }
}
