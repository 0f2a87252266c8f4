// What clients send as expiry time, turned into a deadline on the node's own clock.
public import Primitives
public import Storage

extension Expiry {
    /// Up to here a client's number is a distance from now, above it a date (memcached's
    /// `REALTIME_MAXDELTA`).
    static let longestRelativeSeconds: Int64 = 60 * 60 * 24 * 30

    /// A deadline that has passed whatever the clock shows.
    static let past = Expiry(tick: 1)

    /// The deadline a client asks for: 0 never, negative at once, up to 30 days a distance, above a
    /// date.
    ///
    /// A date becomes a distance here, once: later steps of the wall clock change nothing.
    /// As in memcached the number is taken modulo 2^32, with a sign: a date after 2038 is one in
    /// the past.
    @inlinable
    public init(exptime sent: Int64, at now: ClockReading) {
        let exptime = Int64(Int32(truncatingIfNeeded: sent))
        if exptime == 0 {
            self = .never
        } else {
            self.init(nonzeroExptime: exptime, at: now)
        }
    }

    @usableFromInline
    init(nonzeroExptime exptime: Int64, at now: ClockReading) {
        if exptime < 0 {
            self = .past
        } else if exptime <= Self.longestRelativeSeconds {
            self.init(after: exptime, from: now.instant)
        } else {
            let (distance, overflow) = exptime.subtractingReportingOverflow(now.unixSeconds)
            self = overflow || distance <= 0 ? .past : Expiry(after: distance, from: now.instant)
        }
    }
}
