// The log in memory: the newest snapshot, a few entries before its end, and all after it.

import Primitives

extension RaftInstance {
    /// A server's log.
    ///
    /// It knows nothing of commits; who calls it does.
    struct Log: Sendable {
        /// The newest snapshot.
        private(set) var snapshot: Snapshot
        /// The entry before the first of ``entries``.
        private(set) var baseIndex: LogIndex
        private var baseTerm: Term
        private var entries: [Entry]
        /// Members by index from which they count: that of the base, then one per entry that
        /// changes them.
        private var configurations: [(index: LogIndex, members: Configuration)]
        /// ``Entry/weight`` of the entries after the snapshot.
        private(set) var bytesSinceSnapshot: Int

        init(_ state: PersistedState) throws(RaftError) {
            let following = try state.entriesAfterSnapshot()
            snapshot = state.snapshot
            baseIndex = snapshot.index
            baseTerm = snapshot.term
            entries = []
            configurations = [(snapshot.index, snapshot.configuration)]
            bytesSinceSnapshot = 0
            for entry in following {
                guard entry.term >= lastTerm, entry.term <= state.hardState.term else {
                    throw .termsOutOfOrder(index: entry.index, term: entry.term)
                }
                append(entry)
            }
            guard snapshot.term <= state.hardState.term else {
                throw .termsOutOfOrder(index: snapshot.index, term: snapshot.term)
            }
        }

        var lastIndex: LogIndex { baseIndex + LogIndex(entries.count) }
        var lastTerm: Term { entries.last?.term ?? baseTerm }

        /// The newest members, whether their entry is committed or not.
        var configuration: Configuration { configurations[configurations.count - 1].members }
        /// The index of the entry that brought them.
        var configurationIndex: LogIndex { configurations[configurations.count - 1].index }

        /// The members that counted at `index`.
        func configuration(at index: LogIndex) -> Configuration {
            configurations.last { $0.index <= index }?.members ?? configurations[0].members
        }

        func entry(at index: LogIndex) -> Entry? {
            guard index > baseIndex, index <= lastIndex else { return nil }
            return entries[Int(index - baseIndex - 1)]
        }

        func term(at index: LogIndex) -> Term? {
            index == baseIndex ? baseTerm : entry(at: index)?.term
        }

        /// Entries in `range`, at most `count` of together `bytes`, but at least one.
        func slice(_ range: ClosedRange<LogIndex>, count: Int, bytes: Int) -> [Entry] {
            assert(range.lowerBound > baseIndex && range.upperBound <= lastIndex, "\(range)")
            let start = Int(range.lowerBound - baseIndex - 1)
            let limit = min(Int(range.upperBound - baseIndex), start + count)
            var end = start + 1
            var total = entries[start].weight
            while end < limit, total + entries[end].weight <= bytes {
                total += entries[end].weight
                end += 1
            }
            return Array(entries[start..<end])
        }

        /// The whole of `range`.
        func slice(_ range: ClosedRange<LogIndex>) -> [Entry] {
            slice(range, count: .max >> 1, bytes: .max >> 1)
        }

        /// ``Entry/weight`` of the entries after `index`.
        func weight(after index: LogIndex) -> Int {
            entries.suffix(Int(lastIndex - index)).reduce(0) { $0 + $1.weight }
        }

        /// The last index at most `limit` whose term is at most `term`: where a follower whose log
        /// has an entry of `term` at `limit` may agree with this one.
        func lastIndex(ofTermAtMost term: Term, upTo limit: LogIndex) -> LogIndex {
            var index = min(limit, lastIndex)
            while index > baseIndex, let own = self.term(at: index), own > term { index -= 1 }
            return index
        }

        /// The first entry of the term that the entry at `index` has, as far as the log reaches.
        func firstIndex(ofTermAt index: LogIndex) -> LogIndex {
            guard let term = term(at: index) else { return baseIndex + 1 }
            var first = index
            while first > baseIndex + 1, self.term(at: first - 1) == term { first -= 1 }
            return first
        }

        mutating func append(_ entry: Entry) {
            precondition(
                entry.index == lastIndex + 1 && entry.term >= lastTerm,
                "entry \(entry.index) of term \(entry.term) after \(lastIndex) of \(lastTerm)")
            entries.append(entry)
            bytesSinceSnapshot += entry.weight
            if case .configuration(let members) = entry.payload {
                configurations.append((entry.index, members))
            }
        }

        /// Removes the entries from `index` on, and takes back the members they brought.
        mutating func truncate(from index: LogIndex) {
            precondition(index > snapshot.index, "entry \(index) is in the snapshot")
            guard index <= lastIndex else { return }
            let kept = Int(index - baseIndex - 1)
            for entry in entries[kept...] { bytesSinceSnapshot -= entry.weight }
            entries.removeSubrange(kept...)
            configurations.removeAll { $0.index >= index }
        }

        /// Takes a snapshot of this log's own prefix, and keeps some entries before its end.
        mutating func compact(to snapshot: Snapshot, keepingCount: Int, keepingBytes: Int) {
            precondition(
                snapshot.index > self.snapshot.index && term(at: snapshot.index) == snapshot.term,
                "a snapshot at \(snapshot.index) is not of this log")
            self.snapshot = snapshot
            var base = snapshot.index
            var bytes = 0
            while base > baseIndex, snapshot.index - base < keepingCount {
                bytes += entry(at: base)?.weight ?? 0
                guard bytes <= keepingBytes else { break }
                base -= 1
            }
            forget(through: base)
            bytesSinceSnapshot = 0
            for entry in entries where entry.index > snapshot.index {
                bytesSinceSnapshot += entry.weight
            }
        }

        private mutating func forget(through base: LogIndex) {
            guard base > baseIndex, let term = term(at: base) else { return }
            let members = configuration(at: base)
            entries.removeFirst(Int(base - baseIndex))
            baseIndex = base
            baseTerm = term
            configurations.removeAll { $0.index <= base }
            configurations.insert((base, members), at: 0)
        }

        /// Puts a leader's snapshot in the place of everything.
        mutating func reset(to snapshot: Snapshot) {
            self.snapshot = snapshot
            baseIndex = snapshot.index
            baseTerm = snapshot.term
            entries = []
            configurations = [(snapshot.index, snapshot.configuration)]
            bytesSinceSnapshot = 0
        }
    }
}
