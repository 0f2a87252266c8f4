// The one line that is rewritten while a benchmark runs.
public import LoadGenerator

/// The live line of a running benchmark.
public enum ProgressLine {
    /// What takes the line away: back to its start, clear to its end (ECMA-48, CR and EL).
    public static let erased = "\r\u{1B}[K"

    /// Cells a terminal has at least; a longer line would wrap and no longer be rewritten.
    private static let widthLimit = 100

    /// The line for `snapshot`, written over the one before.
    public static func overwriting(_ snapshot: ProgressSnapshot) -> String {
        erased + String(text(snapshot).prefix(widthLimit))
    }

    /// What the line says.
    static func text(_ snapshot: ProgressSnapshot) -> String {
        if let all = snapshot.keysToLoad {
            let share = all == 0 ? 1 : Double(snapshot.loadedKeys) / Double(all)
            return "loading keys: \(snapshot.loadedKeys) of \(all) (\(percentage(share)))"
        }
        var parts: [String] = []
        if !snapshot.phase.isEmpty { parts.append(printable(snapshot.phase)) }
        parts.append(position(snapshot))
        parts.append(rateText(snapshot.lastSecondRate))
        if let ratio = snapshot.hitRatio { parts.append("hits \(percentage(ratio))") }
        if let mean = snapshot.meanNanoseconds { parts.append("mean \(duration(mean))") }
        if snapshot.errors > 0 { parts.append("errors \(snapshot.errors)") }
        return parts.joined(separator: "  ")
    }

    private static func position(_ snapshot: ProgressSnapshot) -> String {
        if let planned = snapshot.plannedRequests {
            return "\(snapshot.requests) of \(planned)"
        }
        let elapsed = decimal(snapshot.elapsedSeconds, places: 0)
        guard let planned = snapshot.plannedSeconds else { return "\(elapsed) s" }
        return "\(elapsed)/\(threeDigits(planned)) s"
    }
}
