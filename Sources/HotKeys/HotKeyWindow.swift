// All loops' reports of the last second, as one list.
public import Primitives

/// The rates of the last window over all loops: four sub-windows of 250 ms, merged.
///
/// Reports of a sub-window come in as the loops make them; ``close(at:)`` ends a merged sub-window.
/// A cluster merges nodes' reports the same way.
public struct HotKeyWindow: Sendable {
    /// One key's rates.
    public struct Key: Equatable, Sendable {
        /// The key's hash.
        public var hash: UInt64
        /// Its bytes.
        public var key: [UInt8]
        /// Per second.
        public var rates: KeyCounts
        /// Its share of all operations, 0 through 1.
        public var share: Double
        /// Its share of all bytes, 0 through 1.
        public var byteShare: Double
        /// When it was first listed, in nanoseconds of the node's clock.
        public var firstSeen: Int64
    }

    /// What one merged sub-window, or several, came to.
    public struct Summary: Equatable, Sendable {
        /// When it ended, in nanoseconds of the node's clock.
        public var end: Int64 = 0
        /// The time that rates are taken over.
        public var milliseconds = 0
        /// All requests, per second.
        public var total = KeyCounts()
        /// The heavy keys, the most operations first.
        public var keys: [Key] = []
        /// Operations a second by arc.
        public var arcs: [Double] = []
        /// Each loop's busy share in its last sub-window.
        public var loops: [Double] = []
        /// The rarest sampling of a loop: one request in so many.
        public var samplingPeriod = 1.0

        /// Nothing was counted.
        public init() {}
    }

    /// A merged sub-window: sums, not rates.
    private struct SubWindow {
        var nanoseconds: Int64
        var total = KeyCounts()
        /// Sorted by hash.
        var keys: [LoopReport.Key] = []
        var arcs: [Double] = []

        mutating func add(_ report: LoopReport, factor: Double, _ keys: inout [LoopReport.Key]) {
            total.add(report.total.scaled(by: factor))
            for var key in report.keys {
                key.counts = key.counts.scaled(by: factor)
                keys.append(key)
            }
            while arcs.count < report.arcs.count { arcs.append(0) }
            for (arc, count) in report.arcs.enumerated() { arcs[arc] += count * factor }
        }
    }

    /// Sub-windows of a window.
    public static let subWindows = 4
    /// Below this share of the window a key is not shown: chance may have brought it here.
    public static let shownShare = 0.0005

    /// A loop that has not reported for so long is silent, not late.
    private static let silenceNanoseconds: Int64 = 400_000_000

    private var closed: [SubWindow] = []
    /// By loop: what came since the last ``close(at:)``, and the last that ever came.
    private var loops: [(open: [LoopReport], last: LoopReport?)] = []

    /// A window that nothing was reported to yet.
    public init() {}

    /// Takes a loop's report into the sub-window that runs.
    public mutating func add(_ report: LoopReport, loop: Int) {
        while loops.count <= loop { loops.append(([], nil)) }
        loops[loop].open.append(report)
    }

    /// Ends the sub-window: gives its own summary, for decisions, and the window's, to show.
    public mutating func close(at now: Instant) -> (latest: Summary, window: Summary) {
        var merged = SubWindow(nanoseconds: HotKeyDetector.subWindowNanoseconds)
        var keys: [LoopReport.Key] = []
        for loop in loops.indices {
            var reports = loops[loop].open
            // A loop whose report is late is taken to go on as before.
            if reports.isEmpty, let last = loops[loop].last,
                now.nanoseconds - last.end < Self.silenceNanoseconds
            {
                reports = [last]
            }
            if let latest = loops[loop].open.last { loops[loop].last = latest }
            loops[loop].open.removeAll()
            // Loops end their sub-windows when they come to it: counts are brought to the standard
            // time.
            let time = reports.reduce(0) { $0 + max($1.end - $1.start, 1) }
            let factor = Double(merged.nanoseconds) / Double(max(time, 1))
            for report in reports { merged.add(report, factor: factor, &keys) }
        }
        merged.keys = Self.merge(keys)
        closed.append(merged)
        if closed.count > Self.subWindows { closed.removeFirst() }
        return (summary(of: [merged], at: now), summary(of: closed, at: now))
    }

    private func summary(of parts: [SubWindow], at now: Instant) -> Summary {
        var summary = Summary()
        summary.end = now.nanoseconds
        summary.loops = loops.map { $0.last?.busyShare ?? 0 }
        summary.samplingPeriod = loops.reduce(1) { max($0, $1.last?.samplingPeriod ?? 1) }
        let nanoseconds = parts.reduce(0) { $0 + $1.nanoseconds }
        summary.milliseconds = Int(nanoseconds / 1_000_000)
        let perSecond = 1e9 / Double(max(nanoseconds, 1))
        for part in parts {
            summary.total.add(part.total)
            while summary.arcs.count < part.arcs.count { summary.arcs.append(0) }
            for (arc, count) in part.arcs.enumerated() { summary.arcs[arc] += count * perSecond }
        }
        summary.total = summary.total.scaled(by: perSecond)
        let all = max(summary.total.operations, 1e-9)
        let bytes = max(summary.total.bytes, 1e-9)
        for key in Self.merge(parts.flatMap(\.keys)) {
            var rates = key.counts.scaled(by: perSecond)
            // What sampling adds: two standard deviations of a count of which one in `period` was
            // seen.
            let period = summary.samplingPeriod
            if period > 1 {
                rates.error += 2 * (key.counts.operations * period).squareRoot() * perSecond
            }
            let (share, byteShare) = (rates.operations / all, rates.bytes / bytes)
            guard share >= Self.shownShare || byteShare >= Self.shownShare else { continue }
            summary.keys.append(
                Key(
                    hash: key.hash, key: key.key, rates: rates, share: min(share, 1),
                    byteShare: min(byteShare, 1), firstSeen: key.firstSeen))
        }
        summary.keys.sort {
            $0.rates.operations != $1.rates.operations
                ? $0.rates.operations > $1.rates.operations : $0.hash < $1.hash
        }
        return summary
    }

    /// The same keys added up; sorted by hash.
    private static func merge(_ keys: [LoopReport.Key]) -> [LoopReport.Key] {
        var merged: [LoopReport.Key] = []
        for key in keys.sorted(by: { $0.hash < $1.hash }) {
            if let last = merged.indices.last, merged[last].hash == key.hash {
                merged[last].counts.add(key.counts)
                merged[last].firstSeen = min(merged[last].firstSeen, key.firstSeen)
            } else {
                merged.append(key)
            }
        }
        return merged
    }
}
