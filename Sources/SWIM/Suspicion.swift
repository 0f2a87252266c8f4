// The time a suspect has to refute: the more members accuse it on their own account, the shorter
// (Lifeguard, section IV-B, "LHA-Suspicion").

import Primitives

/// What is known against a suspect.
struct Suspicion: Equatable, Sendable {
    /// Members whose own probe of it failed, each once, in the order they were heard of.
    private(set) var accusers: [NodeID]
    /// Independent confirmations after which the time is the shortest.
    let needed: Int
    /// When it becomes dead unless it refutes.
    private(set) var deadline: Instant

    private var begin: Instant
    private let minimum: Duration
    private let maximum: Duration

    init(
        accusers: [NodeID], needed: Int, minimum: Duration, maximum: Duration, at now: Instant
    ) {
        precondition(needed >= 0 && minimum <= maximum, "\(needed) of \(minimum)...\(maximum)")
        self.accusers = []
        self.needed = needed
        self.minimum = minimum
        self.maximum = maximum
        begin = now
        deadline = now
        add(accusers)
    }

    /// Confirmations beyond the first accusation.
    var confirmations: Int { max(0, accusers.count - 1) }

    /// Takes in who else accuses it; false when that says nothing new, as from one accuser twice.
    ///
    /// - Returns: Whether somebody was added. No more than are needed are kept.
    @discardableResult
    mutating func add(_ others: [NodeID]) -> Bool {
        let before = accusers.count
        for accuser in others where accusers.count <= needed && !accusers.contains(accuser) {
            accusers.append(accuser)
        }
        deadline = begin.advanced(
            by: Self.timeout(
                confirmations: confirmations, needed: needed, minimum: minimum, maximum: maximum))
        return accusers.count > before
    }

    /// Begins its time anew, with the confirmations it has.
    mutating func restart(at now: Instant) {
        begin = now
        add([])
    }

    /// Moves its time on by `pause`, which the observer slept through.
    mutating func shift(by pause: Duration) {
        begin = begin.advanced(by: pause)
        deadline = deadline.advanced(by: pause)
    }

    /// `max(min, max - (max - min) * log(C + 1) / log(K + 1))` of the paper.
    static func timeout(
        confirmations: Int, needed: Int, minimum: Duration, maximum: Duration
    ) -> Duration {
        guard needed > 0, confirmations < needed else { return minimum }
        let share =
            Logarithm.binary(confirmations + 1) / Logarithm.binary(needed + 1)
        let spread = Double((maximum - minimum).wholeNanoseconds)
        return max(minimum, maximum - .nanoseconds(Int64(spread * share)))
    }
}
