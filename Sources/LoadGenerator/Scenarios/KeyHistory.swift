// What is known about one key's writes, and which reads that rules out.

/// The writes of one key and the order that their times prove.
///
/// A write takes effect between the moment it was sent and the moment it is known to have
/// happened: its acknowledgement, or the first read that returned it. So write B surely came after
/// write A when B was sent after A was known; and a read surely came after B when it was sent after
/// B was known. A read that returns A after that is a violation: A is older than the latest
/// acknowledged write. A write without an answer may have happened or not: it rules out nothing
/// until somebody has read it. A miss is always allowed, because a cache may forget.
struct KeyHistory: Sendable {
    /// Something one client did to the key, for the report.
    struct Event: Equatable, Sendable {
        var client: Int
        var text: String
        var start: Int64
        var end: Int64
    }

    /// One write.
    ///
    /// Deletes are writes of nothing.
    private struct Write {
        var start: Int64
        var knownAt: Int64 = .max
        var cas: UInt64?
    }

    /// Events kept for the report of a violation.
    static let eventLimit = 24
    /// Writes kept; a read that returns an older one is a violation by itself unless none is
    /// known to have happened since.
    static let writeLimit = 4_096

    private var writes: [Write] = []
    private var firstWrite = 0
    /// The latest start of any write that is known to have happened, and that write.
    private(set) var floor = (start: Int64.min, write: -1)
    private(set) var events: [Event] = []

    /// A write is about to be sent; gives its number.
    mutating func begin(at start: Int64) -> Int {
        if writes.count >= Self.writeLimit {
            let dropped = Self.writeLimit / 2
            writes.removeFirst(dropped)
            firstWrite += dropped
        }
        writes.append(Write(start: start))
        return firstWrite + writes.count - 1
    }

    /// A write was acknowledged at `now`.
    mutating func acknowledge(_ number: Int, at now: Int64) {
        know(number, at: now)
    }

    /// A read that was sent when the floor was `floor` returned write `number`; gives what is
    /// wrong with that, or nil.
    mutating func check(
        read number: Int, cas: UInt64, floor: (start: Int64, write: Int), at now: Int64
    ) -> String? {
        guard number < firstWrite + writes.count else {
            return "it returned write \(number), which nobody made"
        }
        guard number >= firstWrite else {
            return floor.write > number
                ? "it returned write \(number), long after write \(floor.write) had happened" : nil
        }
        let write = writes[number - firstWrite]
        if write.knownAt < floor.start {
            return "it returned write \(number), which was over before write \(floor.write) was"
                + " sent, and that one had happened before the read"
        }
        if let known = write.cas, known != cas {
            return "write \(number) had the CAS unique \(known) before, now it has \(cas)"
        }
        if write.cas == nil, let other = owner(of: cas) {
            return "write \(number) has the CAS unique \(cas), which write \(other) had"
        }
        writes[number - firstWrite].cas = cas
        know(number, at: now)
        return nil
    }

    /// A conditional write on the version of write `number`, sent when the floor was `floor`, was
    /// done; gives what is wrong with that, or nil.
    func check(
        conditionOn number: Int, floor: (start: Int64, write: Int)
    ) -> String? {
        guard number >= firstWrite, number < firstWrite + writes.count else { return nil }
        return writes[number - firstWrite].knownAt < floor.start
            ? "cas took write \(number) for the present one, though write \(floor.write) was sent"
                + " after it was over and had happened before the cas was sent" : nil
    }

    /// Notes an event for the report.
    mutating func note(_ event: Event) {
        if events.count >= Self.eventLimit { events.removeFirst() }
        events.append(event)
    }

    private mutating func know(_ number: Int, at now: Int64) {
        guard number >= firstWrite else { return }
        let index = number - firstWrite
        writes[index].knownAt = min(writes[index].knownAt, now)
        if writes[index].start > floor.start { floor = (writes[index].start, number) }
    }

    private func owner(of cas: UInt64) -> Int? {
        writes.lastIndex { $0.cas == cas }.map { $0 + firstWrite }
    }
}
