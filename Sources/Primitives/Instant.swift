// Time as the pure rooms see it: a number that the shell passes in.

/// A moment on the node's monotonic clock, in nanoseconds since the node started.
///
/// It never runs backwards and includes time spent suspended; it says nothing about the date.
public struct Instant: Comparable, Hashable, Sendable {
    /// Nanoseconds since the node's clock began.
    public var nanoseconds: Int64

    /// Creates the moment `nanoseconds` after the clock's beginning.
    @inlinable
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Whether `lhs` is earlier than `rhs`.
    @inlinable
    public static func < (lhs: Instant, rhs: Instant) -> Bool {
        lhs.nanoseconds < rhs.nanoseconds
    }
}

/// What the shell's two clocks showed when a turn began.
///
/// Deadlines use ``instant`` only. ``unixSeconds`` serves one purpose: an absolute expiry time that
/// a client sends is turned into a distance from now, once, so that a step of the wall clock can
/// neither revive items nor expire them.
public struct ClockReading: Equatable, Sendable {
    /// The monotonic clock.
    public var instant: Instant

    /// The wall clock, in whole seconds since 1970.
    public var unixSeconds: Int64

    /// Creates a reading of both clocks.
    @inlinable
    public init(instant: Instant, unixSeconds: Int64) {
        self.instant = instant
        self.unixSeconds = unixSeconds
    }
}

// The control plane reckons in durations; the data path keeps to plain nanoseconds.
extension Instant {
    /// The moment `duration` after this one.
    ///
    /// - Precondition: the result lies within 292 years of the clock's beginning.
    @inlinable
    public func advanced(by duration: Duration) -> Instant {
        Instant(nanoseconds: nanoseconds + duration.wholeNanoseconds)
    }

    /// How long after this moment `other` is; negative when it is earlier.
    @inlinable
    public func duration(to other: Instant) -> Duration {
        .nanoseconds(other.nanoseconds - nanoseconds)
    }
}

extension Duration {
    /// The duration in nanoseconds, anything finer cut off.
    @inlinable
    public var wholeNanoseconds: Int64 {
        components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
    }
}
