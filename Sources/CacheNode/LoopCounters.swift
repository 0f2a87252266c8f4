// What a loop counts: words that it alone writes and anybody may read.
internal import CIntrinsics
internal import Primitives

/// The counters of one loop.
enum LoopCounter: Int, CaseIterable {
    /// Connections open now.
    case currentConnections
    /// Connections ever accepted.
    case totalConnections
    /// Connections refused at the limit.
    case rejectedConnections
    /// Bytes received from clients.
    case bytesRead
    /// Bytes sent to clients.
    case bytesWritten
    /// Turns in which a connection was left with commands unread, for the others' sake.
    case connectionYields
    /// Connections closed for being idle.
    case idleKicks
    /// When the loop last looked after itself, in nanoseconds of the node's clock.
    case lastTurn
    /// `flush_all` commands.
    case flushCommands
    /// Commands refused because of the protocol.
    case protocolErrors
    /// Turns taken, for the mean batch.
    case turns
    /// Keys looked up or changed.
    case keys
    /// Longest turn so far, in nanoseconds.
    case longestTurn
    /// Connections waiting for a client to read.
    case blockedConnections
    /// Times accepting had to stop for want of descriptors.
    case acceptPauses
    /// Microseconds spent so.
    case acceptPausedMicroseconds
    /// Whether it is stopped now.
    case acceptsPaused
    /// Bytes of receive and reply buffers, as of the last tick.
    case bufferBytes
    /// Most processor time of a storage command that made an index grow, in nanoseconds.
    case indexGrowthPause
}

/// Commands whose latency is told apart.
enum CommandGroup: Int, CaseIterable {
    case get, set, touch, delete, arithmetic, metaGet, metaSet, metaDelete, metaArithmetic, other
    /// No command of its own: storage commands that made an index grow, in processor time.
    case indexGrowth
}

/// Counters and latency histograms of one loop, in raw memory that lives as long as the process.
///
/// `@unchecked Sendable`: one loop writes, others read single words, all by relaxed atomic
/// accesses.
struct LoopCounters: @unchecked Sendable {
    private let words: UnsafeMutablePointer<UInt64>

    /// Histogram buckets to a doubling; an estimate is at most 1/16 too high.
    static let subBuckets = 16
    /// Doublings covered: up to about 18 minutes.
    static let doublings = 36
    static let histogramWords = doublings * subBuckets

    private static let counterWords = LoopCounter.allCases.count

    init() {
        let count = Self.counterWords + CommandGroup.allCases.count * Self.histogramWords
        words = .allocate(capacity: count)
        words.initialize(repeating: 0, count: count)
    }

    @inline(__always)
    func add(_ counter: LoopCounter, _ amount: Int) {
        let word = words + counter.rawValue
        kiln_store_relaxed(word, kiln_load_relaxed(word) &+ UInt64(bitPattern: Int64(amount)))
    }

    func raise(_ counter: LoopCounter, to value: UInt64) {
        let word = words + counter.rawValue
        if kiln_load_relaxed(word) < value { kiln_store_relaxed(word, value) }
    }

    /// Sets a counter that is a size, or begins a maximum anew.
    func set(_ counter: LoopCounter, to value: UInt64) {
        kiln_store_relaxed(words + counter.rawValue, value)
    }

    subscript(_ counter: LoopCounter) -> UInt64 {
        kiln_load_relaxed(words + counter.rawValue)
    }

    /// Notes that `count` commands of `group` took `nanoseconds`.
    func record(_ group: CommandGroup, nanoseconds: UInt64, count: Int) {
        let word =
            words
            + (Self.counterWords + group.rawValue * Self.histogramWords + Self.bucket(nanoseconds))
        kiln_store_relaxed(word, kiln_load_relaxed(word) &+ UInt64(count))
    }

    /// How often each bucket of `group` was hit.
    func histogram(_ group: CommandGroup) -> [UInt64] {
        let start = words + (Self.counterWords + group.rawValue * Self.histogramWords)
        return (0..<Self.histogramWords).map { kiln_load_relaxed(start + $0) }
    }

    /// The bucket of a latency: log-linear, as HdrHistogram's.
    static func bucket(_ nanoseconds: UInt64) -> Int {
        guard nanoseconds >= UInt64(subBuckets) else { return Int(nanoseconds) }
        let log = 63 - nanoseconds.leadingZeroBitCount
        let sub = Int(nanoseconds >> UInt64(log - 4)) & (subBuckets - 1)
        return min(histogramWords - 1, (log - 3) * subBuckets + sub)
    }

    /// The highest latency that falls into a bucket, in nanoseconds.
    static func upperBound(ofBucket bucket: Int) -> UInt64 {
        guard bucket >= subBuckets else { return UInt64(bucket) }
        let log = bucket / subBuckets + 3
        let sub = UInt64(bucket % subBuckets)
        return (UInt64(subBuckets) + sub + 1) << UInt64(log - 4) - 1
    }
}
