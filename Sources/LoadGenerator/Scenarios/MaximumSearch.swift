/// Searches the highest rate of an open loop that keeps an objective.
///
/// The rate doubles until the objective is missed, then the gap is halved until it is below
/// ``precision``. Every step is a run of the settings' own length.
public struct MaximumSearch: Sendable {
    /// A step of the search.
    public struct Step: Sendable, CustomStringConvertible {
        /// Its number, from 1.
        public var number: Int
        /// The rate that is tried, in operations a second.
        public var rate: Double

        /// For a progress line.
        public var description: String { "step \(number), \(Int(rate))/s" }
    }

    private let settings: LoadSettings
    private let objective: Objective

    /// The search ends when the lowest rate that missed is at most this factor above the highest
    /// that met the objective.
    static let precision = 1.03
    /// Most runs of a search.
    static let stepLimit = 40
    /// Where it begins unless `--rate` says so, in operations a second.
    static let firstRate = 1_000.0

    /// A search with the load of `settings`; its rate, if it has one, is tried first.
    public init(settings: LoadSettings, objective: Objective) {
        self.settings = settings
        self.objective = objective
    }

    /// Runs the search.
    ///
    /// - Parameter progress: What shows the progress of a step.
    /// - Returns: Every step, and the one that decides once more at the end; with the error
    ///   ``LoadError/objectiveMissed(_:)`` when no rate at all keeps the objective.
    /// - Throws: What kept the first step from being made.
    public func run(
        progress: (Step) -> ((ProgressSnapshot) -> Void)
    ) throws(LoadError) -> LoadRun.Outcome {
        var walk = RateWalk(first: settings.rate ?? Self.firstRate)
        var runs: [RunResult] = []
        var best: RunResult?
        var settings = settings
        while let rate = walk.next, runs.count < Self.stepLimit {
            settings.rate = rate
            let step = Step(number: runs.count + 1, rate: rate)
            let outcome = try LoadRun(settings).run(onProgress: progress(step))
            guard var result = outcome.results.last, outcome.error == nil, !outcome.wasInterrupted
            else {
                return LoadRun.Outcome(
                    results: runs + outcome.results, error: outcome.error,
                    wasInterrupted: outcome.wasInterrupted)
            }
            settings.preloads = false
            let isMet = judge(&result)
            runs.append(result)
            if isMet { best = result }
            walk.note(isMet: isMet)
        }
        guard var best else {
            let reason = "no rate from \(Int(walk.lowest)) a second on meets \(objective)"
            return LoadRun.Outcome(
                results: runs, error: .objectiveMissed(reason), wasInterrupted: false)
        }
        best.phase = "highest rate that meets \(objective): \(Int(best.intendedRate ?? 0))/s"
        return LoadRun.Outcome(results: runs + [best], error: nil, wasInterrupted: false)
    }

    /// Whether a step met the objective; it is named after that.
    private func judge(_ result: inout RunResult) -> Bool {
        let isMet = objective.isMet(by: result) && result.verdict.isValid
        let rate = Int(result.intendedRate ?? 0)
        result.phase = "\(rate)/s \(isMet ? "meets" : "misses") \(objective)"
        // The steps that miss are meant to: only the deciding one has to be trusted.
        if !isMet {
            result.verdict.warnings += result.verdict.reasons
            result.verdict.reasons = []
        }
        return isMet
    }
}

/// The rates that a search tries, as a value: doubling, then halving the gap.
struct RateWalk {
    /// The rate to try next; nil when the gap is small enough.
    private(set) var next: Double?
    /// The lowest rate tried.
    private(set) var lowest: Double
    private var met = 0.0
    private var missed = Double.infinity
    private let descentEnd: Double

    /// Halvings below the first rate when that misses already.
    private static let descentLimit = 1 / 1_024.0

    init(first: Double) {
        next = first
        lowest = first
        descentEnd = first * Self.descentLimit
    }

    /// Notes whether ``next`` met the objective.
    mutating func note(isMet: Bool) {
        guard let rate = next else { return }
        if isMet { met = max(met, rate) } else { missed = min(missed, rate) }
        if missed.isInfinite {
            next = rate * 2 <= 1e8 ? rate * 2 : nil
        } else if met == 0 {
            next = rate / 2 >= descentEnd ? rate / 2 : nil
        } else {
            next = missed / met > MaximumSearch.precision ? (met * missed).squareRoot() : nil
        }
        lowest = min(lowest, next ?? rate)
    }
}
