// One thread's stream of requests: the same settings and seed give the same stream, always.
import CIntrinsics
import Primitives

/// Draws what one thread asks for.
///
/// All randomness comes from one generator in the order of the draws, so the sequence of
/// operations, keys and sizes does not depend on how fast the servers answer. (With
/// ``KeyDistribution/shift(seconds:)`` the time decides which set is hot.)
struct RequestSource {
    /// What to do with ``key``.
    struct Draw: Equatable {
        var isWrite: Bool
        /// The key's number, for ``appendKey(_:to:)``.
        var key: UInt64
        /// Bytes to write; 0 for reads.
        var valueBytes: Int
    }

    /// ``KeyDistribution`` without its numbers: a plain byte to switch over.
    private enum Law {
        case uniform, zipf, hotspot, shift, sequential, latest, trace
    }

    private let law: Law
    private let count: UInt64
    private let hotCount: UInt64
    private let hotShare: Double
    private let crowdShare: Double
    private let shiftSeconds: Double
    private let zipf: ZipfSampler
    private let trace: TraceFile?
    private let sizes: SizeDistribution
    private let prefix: [UInt8]
    private let keyBytes: Int
    private let writeThreshold: UInt64
    private let thread: UInt64
    private let threads: UInt64
    private var random: SeededGenerator
    /// Keys walked or inserted so far by this thread.
    private var position: UInt64 = 0
    /// How far ``KeyDistribution/shift(seconds:)`` has turned the ranks.
    private var rotation: UInt64 = 0

    init(settings: LoadSettings, thread: Int) {
        count = settings.keyCount
        sizes = settings.valueSizes
        crowdShare = settings.crowdShare
        prefix = Array(settings.keyPrefix.utf8)
        keyBytes = settings.keyBytes
        writeThreshold =
            settings.writeShare >= 1 ? .max : UInt64(settings.writeShare * 0x1p64)
        self.thread = UInt64(thread)
        threads = UInt64(settings.threads)
        random = SeededGenerator(seed: Self.seed(settings.seed, thread))
        var exponent = KeyDistribution.defaultExponent
        var hot: (count: UInt64, share: Double) = (0, 0)
        var seconds = 0.0
        var trace: TraceFile?
        switch settings.keys {
        case .uniform: law = .uniform
        case .sequential: law = .sequential
        case .latest: law = .latest
        case .zipf(let asked): (law, exponent) = (.zipf, asked)
        case .hotspot(let count, let share): (law, hot) = (.hotspot, (count, share))
        case .shift(let asked): (law, seconds) = (.shift, asked)
        case .trace(let file): (law, trace) = (.trace, file)
        }
        zipf = ZipfSampler(count: count, exponent: exponent)
        (hotCount, hotShare) = hot
        shiftSeconds = seconds
        self.trace = trace
    }

    /// A seed for a thread that shares nothing with its neighbours'.
    static func seed(_ seed: UInt64, _ thread: Int) -> UInt64 {
        var mixer = SeededGenerator(seed: seed ^ UInt64(thread) &* 0xD6E8_FEB8_6659_FD93)
        return mixer.next()
    }

    /// Turns the hot set of ``KeyDistribution/shift(seconds:)`` to where it is `elapsed` seconds
    /// after the start.
    mutating func turn(elapsedSeconds elapsed: Double) {
        guard law == .shift else { return }
        // Neighbouring sets must not overlap: step by the golden section of the key space.
        let step = UInt64(Double(count) * 0.618_033_988_75)
        rotation = (UInt64(max(elapsed, 0) / shiftSeconds) &* max(step, 1)) % count
    }

    /// The next operation.
    @inline(__always)
    mutating func next() -> Draw {
        if law == .trace { return nextOfTrace() }
        let isWrite =
            writeThreshold == .max || (writeThreshold > 0 && random.next() < writeThreshold)
        if isWrite {
            let key = law == .latest ? inserted() : nextKey()
            return Draw(
                isWrite: true, key: key, valueBytes: sizes.next(using: &random))
        }
        return Draw(isWrite: false, key: nextKey(), valueBytes: 0)
    }

    /// The next key by the law, for reads of several keys, too.
    @inline(__always)
    mutating func nextKey() -> UInt64 {
        // The crowd's key is the last one: nothing special under any law.
        if crowdShare > 0, random.unit() < crowdShare { return count - 1 }
        switch law {
        case .uniform: return random.below(count)
        case .zipf: return zipf.next(using: &random)
        case .shift:
            let turned = zipf.next(using: &random) + rotation
            return turned < count ? turned : turned - count
        case .hotspot:
            return random.unit() < hotShare
                ? random.below(hotCount) : hotCount + random.below(count - hotCount)
        case .sequential:
            position += 1
            return (thread + (position - 1) * threads) % count
        case .latest:
            let newest = count + position * threads
            return newest - 1 - zipf.next(using: &random)
        case .trace: return nextOfTrace().key
        }
    }

    /// The number of a key that did not exist before.
    private mutating func inserted() -> UInt64 {
        position += 1
        return count + (position - 1) * threads + thread
    }

    @inline(never)
    private mutating func nextOfTrace() -> Draw {
        guard let trace else { return Draw(isWrite: false, key: 0, valueBytes: 0) }
        let index = (thread + position * threads) % UInt64(trace.operations.count)
        position += 1
        let operation = trace.operations[Int(index)]
        return Draw(
            isWrite: operation.isWrite, key: index, valueBytes: Int(operation.valueBytes))
    }

    /// Appends the text of key `number`.
    @inline(__always)
    func appendKey(_ number: UInt64, to writer: inout ByteWriter) {
        if law == .trace { return appendTraceKey(number, &writer) }
        writer.reserve(256)
        prefix.withUnsafeBytes { writer.appendReserved($0.bytes) }
        if keyBytes > 0 { pad(number, &writer) }
        writer.appendReserved(decimal: number)
    }

    @inline(never)
    private func appendTraceKey(_ number: UInt64, _ writer: inout ByteWriter) {
        guard let trace else { return }
        let operation = trace.operations[Int(number)]
        let end = operation.keyStart + Int(operation.keyCount)
        for byte in trace.keyBytes[operation.keyStart..<end] { writer.append(byte) }
    }

    private func pad(_ number: UInt64, _ writer: inout ByteWriter) {
        let digits = String(number).utf8.count
        for _ in 0..<max(0, keyBytes - prefix.count - digits) {
            writer.append(UInt8(ascii: "0"))
        }
    }
}
