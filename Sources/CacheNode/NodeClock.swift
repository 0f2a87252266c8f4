// The one place that reads a clock.
internal import CLinux
internal import Glibc
internal import Primitives

/// The node's clocks: monotonic time since the node started, and the date.
///
/// The monotonic one is CLOCK_BOOTTIME: unlike CLOCK_MONOTONIC it goes on while the machine is
/// suspended, so that nothing outlives its end by a nap.
struct NodeClock: Sendable {
    private let origin: Int64

    init() {
        // A little in the past: no moment the node sees is the zero of its clock.
        origin = Self.nanoseconds(CLOCK_BOOTTIME) - 1_000_000_000
    }

    var now: Instant { Instant(nanoseconds: Self.nanoseconds(CLOCK_BOOTTIME) - origin) }

    /// Both clocks; the date is read coarsely, it serves whole seconds only.
    var reading: ClockReading {
        ClockReading(
            instant: now, unixSeconds: Self.nanoseconds(CLOCK_REALTIME_COARSE) / 1_000_000_000)
    }

    /// The processor time of the calling thread; a system call.
    var threadNanoseconds: Int64 { Self.nanoseconds(CLOCK_THREAD_CPUTIME_ID) }

    /// The date in microseconds, for the lines of watchers.
    var wallMicroseconds: Int64 { Self.nanoseconds(CLOCK_REALTIME) / 1000 }

    /// The date at which ``now`` was 0, to the nearest second: a moment of one clock added to it is
    /// a date.
    var originSeconds: Int64 {
        let distance = Self.nanoseconds(CLOCK_REALTIME) - now.nanoseconds
        return (distance + 500_000_000) / 1_000_000_000
    }

    private static func nanoseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}
