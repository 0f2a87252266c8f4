// One event loop's view of which keys are hot.
//
// The data path calls `countDown` for every request: a decrement and a branch. Now and then it says
// that this request is a sample; then `record` looks the key up among the listed heavy keys, and
// asks the sketch about the others. Every 250 ms the loop takes a report and the next sub-window
// begins. No call but `endSubWindow` and `setPeriod` allocates.
public import Primitives

/// Finds the heavy keys of one event loop's requests in bounded memory.
public struct HotKeyDetector: ~Copyable, Sendable {
    /// Nanoseconds of a sub-window: four make the window that rates are taken over.
    public static let subWindowNanoseconds: Int64 = 250_000_000
    /// Counters of a sketch's row.
    ///
    /// With ``sketchDepth`` rows it takes 64 KiB per loop. One sub-window holds about 15,000
    /// samples, so an estimate is more than 10 too high with probability 2 % at the most.
    public static let sketchWidth = 4096
    /// Rows of a sketch; see ``sketchWidth``.
    public static let sketchDepth = 4
    /// Keys listed per loop.
    public static let listCapacity = 128
    /// A key is listed from this share of the samples on.
    public static let admissionShare = 0.0005
    /// And from this many samples in one sub-window on: chance alone makes no key hot.
    public static let leastSamples = 4.0
    /// Samples a second that a loop aims at.
    ///
    /// Each costs about 100 ns, so detection takes less than one percent of a loop's time.
    public static let samplesPerSecond = 60_000.0

    /// Samples after which a sub-window ends early: twice what the aim allows it.
    ///
    /// After a quiet time every request is sampled; a rush must not pay for that until its
    /// sub-window is over.
    public static let sampleLimit = 30_000

    private var sketch: CountMinSketch
    private var top: TopKeys
    private var sampler: GeometricSampler
    /// Requests until the next sample.
    @usableFromInline var untilSample = 1
    private var samples = 0
    private var total = KeyCounts()
    private var arcs: [UInt32] = [0]
    private var start: Int64
    /// Samples that a key needs in this sub-window to be listed.
    private var threshold = leastSamples

    /// A detector that has seen nothing.
    ///
    /// - Parameters:
    ///   - secret: Keeps outsiders from aiming keys at one counter of the sketch.
    ///   - seed: What the sampling is drawn from.
    ///   - now: The beginning of the first sub-window.
    public init(secret: UInt64, seed: UInt64, at now: Instant) {
        sketch = CountMinSketch(
            validWidth: Self.sketchWidth, depth: Self.sketchDepth, secret: secret)
        top = TopKeys(validCapacity: Self.listCapacity)
        sampler = GeometricSampler(seed: seed)
        start = now.nanoseconds
    }

    /// Bytes of the sketch, and of the list with its keys.
    public var byteCounts: (sketch: Int, list: Int) { (sketch.byteCount, top.byteCount) }

    /// Arcs that samples may name; counts by arc begin anew.
    public mutating func setArcCount(_ count: Int) {
        arcs = Array(repeating: 0, count: max(1, count))
    }

    /// Whether the sub-window should end at once, whatever the time: the load has risen so much
    /// that its sampling costs too much.
    public var isFull: Bool { samples >= Self.sampleLimit }

    /// Whether this request is a sample: then ``record(_:key:)`` has to be called for it.
    @inlinable
    public mutating func countDown() -> Bool {
        untilSample &-= 1
        return untilSample <= 0
    }

    /// Takes the sample that ``countDown()`` asked for.
    public mutating func record(_ sample: KeySample, key: RawSpan) {
        untilSample = sampler.nextGap()
        samples &+= 1
        total.add(sample)
        if sample.arc < arcs.count { arcs[sample.arc] &+= 1 }
        if let index = top.index(of: sample.hash) { return top.record(sample, at: index) }
        let seen = Double(sketch.add(sample.hash))
        guard seen >= threshold else { return }
        _ = top.admit(sample, key: key, count: seen, at: start)
    }

    /// When the sub-window that runs at `now` is over: sub-windows of all loops begin and end
    /// together, at multiples of their length.
    public static func end(ofSubWindowAt now: Instant) -> Instant {
        Instant(
            nanoseconds: (now.nanoseconds / subWindowNanoseconds + 1) * subWindowNanoseconds)
    }

    /// Takes no sample from now on.
    public mutating func switchOff() {
        untilSample = .max
    }

    /// Ends the sub-window: gives what was counted in it, and begins the next one at `now`, with a
    /// sampling rate that follows the load.
    public mutating func endSubWindow(at now: Instant) -> LoopReport {
        var report = LoopReport(start: start, end: max(now.nanoseconds, start &+ 1))
        let scale = sampler.meanGap
        report.samplingPeriod = scale
        report.total = total.scaled(by: scale)
        report.arcs = arcs.map { Double($0) * scale }
        report.keys.reserveCapacity(top.count)
        for index in 0..<top.count where top.entries[index].counts.operations > 0 {
            let entry = top.entries[index]
            report.keys.append(
                LoopReport.Key(
                    hash: entry.hash, key: top.key(at: index),
                    counts: entry.counts.scaled(by: scale), firstSeen: entry.firstSeen))
        }
        let seconds = Double(report.end - report.start) / 1e9
        follow(requestsPerSecond: Double(samples) * scale / seconds)
        top.endSubWindow()
        sketch.removeAll()
        for arc in arcs.indices { arcs[arc] = 0 }
        threshold = max(Self.leastSamples, Self.admissionShare * Double(samples))
        total = KeyCounts()
        samples = 0
        start = now.nanoseconds
        return report
    }

    /// Samples so rarely that the aim of ``samplesPerSecond`` is kept: powers of two, changed only
    /// when the load has changed by more than a half, so that the rate does not flutter.
    private mutating func follow(requestsPerSecond rate: Double) {
        let wanted = rate / Self.samplesPerSecond
        var period = 1
        while Double(period) < wanted && period < GeometricSampler.longestPeriod { period *= 2 }
        let isSmallDrop = period == sampler.period / 2 && wanted > Double(period) * 0.75
        if period != sampler.period && !isSmallDrop { sampler.setPeriod(period) }
    }
}
