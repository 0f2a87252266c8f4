// What is still to be told, and how often it has been (DSN 2002, section 4.1).

import Primitives

/// Members of whom there is news, those told least often first, then the newest.
///
/// It holds no news, only names: what is sent is always what is known at that moment. So there is
/// at most one entry per member, and the member table's limit bounds it.
struct NewsQueue: Sendable {
    struct Entry: Equatable, Sendable {
        let id: NodeID
        /// How often it has been sent.
        var sends: Int
        /// Rises with each piece of news.
        let stamp: UInt64

        func goesBefore(_ other: Entry) -> Bool {
            sends == other.sends ? stamp > other.stamp : sends < other.sends
        }
    }

    private(set) var entries: [Entry] = []
    private var nextStamp: UInt64 = 0

    var isEmpty: Bool { entries.isEmpty }

    /// There is news of `id`: it goes to the front, whatever was there of it before.
    mutating func add(_ id: NodeID) {
        remove(id)
        insert(Entry(id: id, sends: 0, stamp: nextStamp))
        nextStamp += 1
    }

    mutating func remove(_ id: NodeID) {
        entries.removeAll { $0.id == id }
    }

    /// Counts the entries at `sent`, and drops those at `dropped`; positions in ascending order.
    ///
    /// An entry leaves when it has been sent `limit` times.
    mutating func settle(sent: [Int], dropped: [Int], limit: Int) {
        let told = sent.map { entries[$0] }
        var leaving = (sent + dropped).sorted()[...]
        var position = -1
        entries.removeAll { _ in
            position += 1
            guard leaving.first == position else { return false }
            leaving.removeFirst()
            return true
        }
        for var entry in told {
            entry.sends += 1
            if entry.sends < limit { insert(entry) }
        }
    }

    private mutating func insert(_ entry: Entry) {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].goesBefore(entry) { low = middle + 1 } else { high = middle }
        }
        entries.insert(entry, at: low)
    }
}
