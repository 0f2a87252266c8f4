import Primitives
import Testing

@testable import HotKeys

/// A Zipf stream over `keys` keys: rank r comes with a chance proportional to r^-exponent.
struct ZipfStream {
    private let cumulative: [Double]
    private var random: SeededGenerator

    /// Only exponents whose powers need no library: the sum is built by `weight`.
    init(keys: Int, seed: UInt64, weight: (Int) -> Double) {
        var sum = 0.0
        cumulative = (1...keys).map { rank in
            sum += weight(rank)
            return sum
        }
        random = SeededGenerator(seed: seed)
    }

    /// The share of the key of rank `rank` (from 1).
    func share(_ rank: Int) -> Double {
        let before = rank > 1 ? cumulative[rank - 2] : 0
        return (cumulative[rank - 1] - before) / (cumulative.last ?? 1)
    }

    /// The next rank, from 1.
    mutating func next() -> Int {
        let point = Double(random.next() >> 11) * 0x1p-53 * (cumulative.last ?? 1)
        var (low, high) = (0, cumulative.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if cumulative[middle] <= point { low = middle + 1 } else { high = middle }
        }
        return low + 1
    }
}

/// The hash of a key named by a number.
func hash(_ number: Int) -> UInt64 {
    var generator = SeededGenerator(seed: UInt64(number) &* 0x9E37_79B9_7F4A_7C15)
    return generator.next()
}

struct CountMinSketchTests {
    @Test("a width that is no power of two, and a depth out of range, are refused")
    func refusesSizes() {
        for width in [0, 3, 4095, -4, 1 << 31] {
            #expect(throws: HotKeysError.widthNotPowerOfTwo(width)) {
                _ = try CountMinSketch(width: width, depth: 4, secret: 1)
            }
        }
        for depth in [0, 9] {
            #expect(throws: HotKeysError.depthOutOfRange(depth)) {
                _ = try CountMinSketch(width: 64, depth: depth, secret: 1)
            }
        }
    }

    @Test("a sketch of 4096 x 4 takes 64 KiB")
    func takesItsMemory() throws {
        let sketch = try CountMinSketch(width: 4096, depth: 4, secret: 1)
        let count = sketch.byteCount
        #expect(count == 64 << 10)
    }

    @Test("estimates are never below the truth, and rarely above it by more than n e / width")
    func keepsTheBound() throws {
        // A small sketch under a flat stream is where errors are largest.
        let (width, depth, count) = (256, 3, 20_000)
        let bound = Double(count) * 2.718281828 / Double(width)
        var (violations, asked) = (0, 0)
        for seed in 0..<40 {
            var random = SeededGenerator(seed: UInt64(seed))
            var sketch = try CountMinSketch(
                width: width, depth: depth, secret: random.next())
            var truth = Array(repeating: 0, count: 5000)
            for _ in 0..<count {
                let key = Int(random.next() % 5000)
                truth[key] += 1
                _ = sketch.add(hash(key))
            }
            for key in 0..<5000 {
                let estimate = Int(sketch.estimate(hash(key)))
                #expect(estimate >= truth[key], "seed \(seed), key \(key)")
                asked += 1
                if Double(estimate - truth[key]) > bound { violations += 1 }
            }
        }
        // The chance is e^-3 = 5 %; conservative update stays far below it.
        #expect(Double(violations) <= 0.05 * Double(asked), "\(violations) of \(asked)")
    }

    @Test("over 1,000 streams the bound is broken no more often than chance allows")
    func keepsTheBoundOverStreams() throws {
        let (width, depth, count, streams) = (64, 2, 300, 1000)
        let bound = UInt32(Double(count) * 2.718281828 / Double(width))
        var violations = 0
        for seed in 0..<streams {
            var random = SeededGenerator(seed: UInt64(seed) &+ 1_000_000)
            var sketch = try CountMinSketch(width: width, depth: depth, secret: random.next())
            for _ in 0..<count { _ = sketch.add(random.next()) }
            // A key that never came: all of its estimate is error.
            if sketch.estimate(random.next()) > bound { violations += 1 }
        }
        let chance = 0.1353  // e^-2
        let deviation = (chance * (1 - chance) / Double(streams)).squareRoot()
        #expect(Double(violations) / Double(streams) <= chance + 3 * deviation)
    }

    @Test("counters stay at their highest value instead of wrapping")
    func saturates() {
        var sketch = CountMinSketch(validWidth: 16, depth: 2, secret: 3, start: .max - 2)
        let estimates = (0..<5).map { _ in sketch.add(hash(1)) }
        #expect(estimates == [.max - 1, .max, .max, .max, .max])
        let after = sketch.estimate(hash(1))
        #expect(after == .max)
    }

    @Test("conservative update is never worse than counting in every row")
    func isNoWorseThanThePlainSketch() throws {
        for seed in 0..<10 {
            var random = SeededGenerator(seed: UInt64(seed))
            let secret = random.next()
            var sketch = try CountMinSketch(width: 64, depth: 4, secret: secret)
            // A plain sketch's estimate is the count of all keys that share the lightest column; a
            // sketch of one row without conservative update is that for a row.
            var rows = Array(repeating: Array(repeating: 0, count: 64), count: 4)
            func columns(_ hash: UInt64) -> [Int] {
                var mixed = hash ^ secret
                mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
                mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
                mixed ^= mixed >> 31
                let step = mixed >> 32 | 1
                return (0..<4).map { Int((mixed &+ UInt64($0) &* step) & 63) }
            }
            for _ in 0..<4000 {
                let hash = hash(Int(random.next() % 700))
                _ = sketch.add(hash)
                for (row, column) in columns(hash).enumerated() { rows[row][column] += 1 }
            }
            for key in 0..<700 {
                let plain = columns(hash(key)).enumerated().map { rows[$0][$1] }.min() ?? 0
                let estimate = Int(sketch.estimate(hash(key)))
                #expect(estimate <= plain)
            }
        }
    }

    @Test("an emptied sketch has seen nothing")
    func forgets() throws {
        var sketch = try CountMinSketch(width: 64, depth: 2, secret: 7)
        for _ in 0..<100 { _ = sketch.add(hash(1)) }
        let before = sketch.estimate(hash(1))
        sketch.removeAll()
        let left = (0..<100).reduce(0) { $0 + sketch.estimate(hash($1)) }
        #expect(before == 100 && left == 0)
    }

    @Test("another secret puts other keys together: collisions cannot be prepared")
    func secretDecidesCollisions() throws {
        func partners(_ secret: UInt64) throws -> [Int] {
            var sketch = try CountMinSketch(width: 16, depth: 1, secret: secret)
            for _ in 0..<5 { _ = sketch.add(hash(0)) }
            return (1..<400).filter { sketch.estimate(hash($0)) > 0 }
        }
        let (first, second) = (try partners(1), try partners(2))
        #expect(!first.isEmpty && first != second)
    }
}
