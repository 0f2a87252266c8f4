// A node's own idea of time: it starts somewhere, runs too fast or too slow, and may leap ahead.

import Primitives

/// A monotonic clock that differs from true time by an offset and a drift.
///
/// Integer arithmetic only, so that a run is the same on every machine.
struct NodeClock {
    private var trueAnchor: Int64
    private var localAnchor: Int64
    /// Parts per million by which it runs fast (above 0) or slow.
    private(set) var driftPPM: Int64

    /// Starts the clock at `offset` when true time is `now`.
    init(offset: Int64, driftPPM: Int64, at now: Int64) {
        trueAnchor = now
        localAnchor = offset
        self.driftPPM = driftPPM
    }

    /// What the clock shows at true time `now`.
    func local(at now: Int64) -> Instant {
        let elapsed = now - trueAnchor
        return Instant(nanoseconds: localAnchor + elapsed + elapsed * driftPPM / 1_000_000)
    }

    /// How much true time passes while the clock advances by `local`, at least 1 ns.
    func trueDuration(ofLocal local: Int64) -> Int64 {
        max(1, local * 1_000_000 / (1_000_000 + driftPPM))
    }

    /// Runs at another speed from `now` on.
    mutating func setDrift(ppm: Int64, at now: Int64) {
        localAnchor = local(at: now).nanoseconds
        trueAnchor = now
        driftPPM = ppm
    }

    /// Leaps ahead, as a monotonic clock does over a suspended machine.
    ///
    /// - Precondition: `distance` is not negative: the clock promises not to run backwards.
    mutating func leap(by distance: Int64, at now: Int64) {
        precondition(distance >= 0, "a monotonic clock cannot leap by \(distance)")
        localAnchor = local(at: now).nanoseconds + distance
        trueAnchor = now
    }
}
