// When an item ends, small enough to be stored with it.
public import Primitives

/// A moment at which an item stops being served, in tenths of a second since the node started.
///
/// Tick 0 means never. 32 bits reach 13.6 years; a longer time to live saturates there.
public struct Expiry: Comparable, Hashable, Sendable {
    /// No end.
    @inlinable
    public static var never: Expiry { Expiry(tick: 0) }

    /// Nanoseconds per tick.
    static let nanosecondsPerTick: Int64 = 100_000_000

    /// Ticks per second.
    static let ticksPerSecond: Int64 = 10

    /// Tenths of a second since the node started; 0 for ``never``.
    public var tick: UInt32

    /// Wraps a stored tick.
    @inlinable
    public init(tick: UInt32) {
        self.tick = tick
    }

    /// The moment `seconds` after `now`; a moment already past where `seconds` is 0 or less.
    public init(after seconds: Int64, from now: Instant) {
        guard seconds > 0 else {
            tick = 1
            return
        }
        let current = Self.ticks(at: now)
        let (distance, overflow) = seconds.multipliedReportingOverflow(by: Self.ticksPerSecond)
        let limit = Int64(UInt32.max)
        let end = overflow || distance > limit ? limit : min(limit, current + distance)
        tick = UInt32(max(1, end))
    }

    /// Whether the item is over.
    public func hasPassed(at now: Instant) -> Bool {
        tick != 0 && Self.ticks(at: now) >= Int64(tick)
    }

    /// Whole seconds until the end, rounded up; 0 when it has passed and -1 for ``never``.
    public func secondsLeft(at now: Instant) -> Int64 {
        guard tick != 0 else { return -1 }
        let ticks = Int64(tick) - Self.ticks(at: now)
        return max(0, (ticks + Self.ticksPerSecond - 1) / Self.ticksPerSecond)
    }

    /// Whether `lhs` ends earlier; ``never`` is later than everything.
    public static func < (lhs: Expiry, rhs: Expiry) -> Bool {
        lhs.tick &- 1 < rhs.tick &- 1
    }

    /// Ticks since the node's clock began; at least 1, so that a passed expiry of 1 is always
    /// passed.
    static func ticks(at now: Instant) -> Int64 {
        max(1, now.nanoseconds / nanosecondsPerTick)
    }
}
