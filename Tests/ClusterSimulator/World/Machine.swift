// The hardware of one node: it outlives the processes that run on it.

import Primitives

/// A machine: its clock, its disk, and what is wrong with it at the moment.
struct Machine {
    /// A sync of an undisturbed disk takes between these, in nanoseconds: a fast SSD to a slow one.
    static let syncTime: ClosedRange<Int64> = 100_000...4_000_000
    /// Clocks drift by up to 1 %: the bound that leases reckon with.
    static let driftBoundPPM: Int64 = 10_000

    var clock: NodeClock
    var disk = VirtualDisk()
    /// Whether a process runs.
    var isUp = true
    /// Rises when a process ends: what was meant for it does not reach a later one.
    var life: UInt64 = 1
    /// True time until which the process stands still.
    var pausedUntil: Int64 = 0
    /// By how much the disk is slower than usual.
    var diskFactor: Int64 = 1
    /// The next sync fails.
    var failsNextSync = false

    init(clock: NodeClock) {
        self.clock = clock
    }

    /// Ends the process; with `losingPower` what was not synced may be gone.
    mutating func stop(losingPower: Bool, _ random: inout SeededGenerator) -> VirtualDisk.Loss {
        precondition(isUp, "a machine that is down cannot be stopped")
        isUp = false
        life += 1
        pausedUntil = 0
        failsNextSync = false
        guard losingPower else {
            disk.flush()
            return VirtualDisk.Loss()
        }
        return disk.losePower(&random)
    }

    /// Starts the next process, with a clock that begins anywhere and drifts within the bound.
    mutating func start(at now: Int64, _ random: inout SeededGenerator) {
        precondition(!isUp, "a machine that is up cannot be started")
        isUp = true
        clock = Self.anyClock(at: now, &random)
    }

    /// A clock that shows anything up to ten seconds and drifts within the bound.
    static func anyClock(at now: Int64, _ random: inout SeededGenerator) -> NodeClock {
        NodeClock(
            offset: random.within(0...10_000_000_000),
            driftPPM: random.within(-driftBoundPPM...driftBoundPPM), at: now)
    }
}
