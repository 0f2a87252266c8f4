// A log as the observer remembers it: per entry its term, and a hash over all entries up to it.

/// The observer's copy of one node's log.
///
/// Entry `i`'s chain hash covers entries 1 to `i`, so equal hashes mean equal logs up to there: the
/// Log Matching Property (Ongaro, dissertation, Figure 3.2) becomes one comparison.
struct ShadowLog {
    /// One entry, and everything before it.
    struct Mark: Equatable {
        var term: UInt64
        var chain: UInt64
    }

    /// The index that the first mark stands for: 0, or the last index of a snapshot.
    private(set) var baseIndex: UInt64 = 0
    private var marks = [Mark(term: 0, chain: 0)]

    /// The last entry's index.
    var lastIndex: UInt64 { baseIndex + UInt64(marks.count) - 1 }

    /// The mark at `index`, or nil when it is compacted or not there.
    subscript(index: UInt64) -> Mark? {
        index >= baseIndex && index <= lastIndex ? marks[Int(index - baseIndex)] : nil
    }

    /// Adds an entry behind the last one.
    mutating func append(term: UInt64, payloadHash: UInt64) -> Mark {
        var digest = TraceDigest()
        digest.mix(marks[marks.count - 1].chain)
        digest.mix(term)
        digest.mix(payloadHash)
        let mark = Mark(term: term, chain: digest.value)
        marks.append(mark)
        return mark
    }

    /// Drops every entry above `index`.
    mutating func truncate(after index: UInt64) {
        guard index < lastIndex else { return }
        precondition(index >= baseIndex, "truncating to \(index), below the base \(baseIndex)")
        marks.removeLast(Int(lastIndex - index))
    }

    /// Forgets the entries below `index`, which stays as the base.
    mutating func compact(to index: UInt64) {
        guard index > baseIndex, index <= lastIndex else { return }
        marks.removeFirst(Int(index - baseIndex))
        baseIndex = index
    }

    /// Becomes the log that consists of a snapshot up to `index`.
    mutating func restart(at index: UInt64, _ mark: Mark) {
        baseIndex = index
        marks = [mark]
    }
}
