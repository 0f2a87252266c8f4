// How often was each of very many keys seen? An answer in 64 KiB, too high now and then, never too
// low: enough to decide which few keys deserve to be counted exactly.

/// A count-min sketch with conservative update: a fixed table that estimates how often each key was
/// seen.
///
/// After `n` additions an estimate is never below the true count, and is above it by more than
/// `n * e / width` with probability at most `e^-depth` (Cormode and Muthukrishnan, J. Algorithms
/// 55(1), 2005, Theorem 1). Conservative update (Estan and Varghese, SIGCOMM 2002, section 3.2)
/// raises only the counters that hold the estimate, which keeps both bounds and tightens the second
/// in practice. Memory is `width * depth * 4` bytes, taken once in `init`; no later call allocates.
public struct CountMinSketch: ~Copyable, Sendable {
    /// Counters per row; a power of two.
    public let width: Int
    /// Rows.
    public let depth: Int
    private var counters: [UInt32]
    private let secret: UInt64

    /// Rows a sketch may have.
    public static let depthRange = 1...8

    /// Creates an empty sketch.
    ///
    /// - Parameters:
    ///   - width: Counters per row; a power of two, so that a row index is one mask.
    ///   - depth: Rows, 1 through 8.
    ///   - secret: Mixed into every hash, so that nobody outside can aim keys at one counter.
    /// - Throws: ``HotKeysError/widthNotPowerOfTwo(_:)`` or ``HotKeysError/depthOutOfRange(_:)``.
    public init(width: Int, depth: Int, secret: UInt64) throws(HotKeysError) {
        guard width > 0, width & (width - 1) == 0, width <= 1 << 30 else {
            throw .widthNotPowerOfTwo(width)
        }
        guard Self.depthRange.contains(depth) else { throw .depthOutOfRange(depth) }
        self.init(validWidth: width, depth: depth, secret: secret)
    }

    /// The same for sizes that are known to be right.
    ///
    /// Counters start at `start`; other than 0 in tests only, which could not wait for the highest.
    init(validWidth width: Int, depth: Int, secret: UInt64, start: UInt32 = 0) {
        precondition(
            width & (width - 1) == 0 && Self.depthRange.contains(depth), "\(width) x \(depth)")
        self.width = width
        self.depth = depth
        self.secret = secret
        counters = Array(repeating: start, count: width * depth)
    }

    /// Bytes of counters.
    public var byteCount: Int { counters.count * MemoryLayout<UInt32>.size }

    /// Counts one more occurrence of `hash`; gives the new estimate.
    ///
    /// Counters stay at their highest value instead of wrapping.
    public mutating func add(_ hash: UInt64) -> UInt32 {
        let lanes = Lanes(hash, secret)
        let mask = UInt64(width - 1)
        var least = UInt32.max
        for row in 0..<depth {
            least = min(least, counters[row &* width &+ lanes.column(row, mask)])
        }
        let raised = least == .max ? least : least &+ 1
        for row in 0..<depth {
            let position = row &* width &+ lanes.column(row, mask)
            if counters[position] < raised { counters[position] = raised }
        }
        return raised
    }

    /// How often `hash` was added: never less than the truth.
    public func estimate(_ hash: UInt64) -> UInt32 {
        let lanes = Lanes(hash, secret)
        let mask = UInt64(width - 1)
        var least = UInt32.max
        for row in 0..<depth {
            least = min(least, counters[row &* width &+ lanes.column(row, mask)])
        }
        return least
    }

    /// Forgets everything.
    public mutating func removeAll() {
        for position in counters.indices { counters[position] = 0 }
    }

    /// Two hashes that give one per row by `first + row * second`, which loses nothing against
    /// independent ones (Kirsch and Mitzenmacher, ESA 2006, Theorem 2).
    private struct Lanes {
        let first: UInt64
        let second: UInt64

        init(_ hash: UInt64, _ secret: UInt64) {
            // SplitMix64's finisher (Steele, Lea and Flood, OOPSLA 2014) over the keyed hash.
            var mixed = hash ^ secret
            mixed = (mixed ^ (mixed &>> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed &>> 27)) &* 0x94D0_49BB_1331_11EB
            mixed ^= mixed &>> 31
            first = mixed
            second = mixed &>> 32 | 1
        }

        func column(_ row: Int, _ mask: UInt64) -> Int {
            let lane = first &+ UInt64(truncatingIfNeeded: row) &* second
            return Int(truncatingIfNeeded: lane & mask)
        }
    }
}
