// How far this member trusts itself (Lifeguard, section IV-A, "LHA-Probe"): who is slow must not
// take the others for dead.

/// The local health multiplier's counter: 0 is healthy.
struct LocalHealth: Equatable, Sendable {
    /// What happened that says something about this member.
    enum Event: Equatable, Sendable {
        /// A probe was answered in time.
        case probeSucceeded
        /// A probe of a member that nobody had suspected was not answered.
        case probeFailed
        /// A relay that had been asked neither acked nor nacked: the fault may be near us.
        case nackMissed
        /// Somebody suspected us.
        case refuted
        /// We slept past a deadline.
        case overslept
    }

    /// From 0 through ``limit`` - 1.
    private(set) var score = 0
    /// The highest multiplier (the paper's S).
    let limit: Int

    /// What to multiply period and timeout of probes with: 1 through ``limit``.
    var multiplier: Int { score + 1 }

    init(limit: Int) {
        self.limit = limit
    }

    mutating func note(_ event: Event) {
        let change = event == .probeSucceeded ? -1 : 1
        score = min(max(score + change, 0), limit - 1)
    }
}
