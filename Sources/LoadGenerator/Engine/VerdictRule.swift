/// Decides whether the generator, and not the servers, made a run's numbers.
struct VerdictRule {
    /// Whether operations were due by a schedule.
    let isOpenLoop: Bool

    /// Share of a processor above which a sending thread counts as full.
    static let fullThread = 0.95
    /// Open loop: a lag at the 99th percentile above this, in nanoseconds, and above
    /// ``lagShare`` of the latency at that percentile, is in the numbers.
    static let lagNanoseconds: UInt64 = 1_000_000
    static let lagShare = 0.1
    /// Share of a thread's time spent waiting for a processor that is worth a word.
    static let waitedShare = 0.1

    /// The verdict on `result`; `firstError` is the first error line a server sent.
    func verdict(on result: RunResult, firstError: String?) -> Verdict {
        var verdict = Verdict()
        judgeAnswers(result, firstError, &verdict)
        // A run that ended as it began has no rates to judge.
        guard result.seconds > 0 else { return verdict }
        judgeProcessor(result, &verdict)
        judgeLag(result, &verdict)
        if result.generator.waitedSeconds
            > Self.waitedShare * result.seconds * Double(max(result.generator.threads, 1))
        {
            verdict.warnings.append(
                "the generator waited for a processor for"
                    + " \(percent(result.generator.waitedSeconds / result.seconds))"
                    + " of the time: latencies contain that; give it processors of its own")
        }
        return verdict
    }

    /// A full thread decides the rate, unless the server is full, too.
    private func judgeProcessor(_ result: RunResult, _ verdict: inout Verdict) {
        guard result.generator.busiestThreadShare >= Self.fullThread else { return }
        let share = percent(result.generator.busiestThreadShare)
        let busiest = result.servers.compactMap(\.busiestThreadShare).max()
        if let busiest, busiest >= Self.fullThread {
            verdict.warnings.append(
                "generator and server were both full: a thread of each used \(share) and"
                    + " \(percent(busiest)) of a processor")
            return
        }
        let known = busiest.map { ", the busiest server thread \(percent($0))" } ?? ""
        verdict.reasons.append(
            "a generator thread was full (\(share) of a processor\(known)): raise --threads, use"
                + " more machines, or lower the load")
    }

    private func judgeLag(_ result: RunResult, _ verdict: inout Verdict) {
        guard isOpenLoop else { return }
        let lag = result.generator.lagP99Nanoseconds
        let latency = result.total.latency.nanoseconds(atPercentile: 99)
        if lag > Self.lagNanoseconds && Double(lag) > Self.lagShare * Double(latency) {
            verdict.reasons.append(
                "the generator sent late (\(lag / 1_000) us at p99 although clients were free):"
                    + " raise --threads, lower --rate, or give it processors of its own")
        }
        if result.unsent > 0 {
            verdict.warnings.append(
                "\(result.unsent) operations were due and not sent: the servers are slower than"
                    + " --rate, or --clients x --pipeline is too small")
        }
    }

    private func judgeAnswers(
        _ result: RunResult, _ firstError: String?, _ verdict: inout Verdict
    ) {
        if result.requests == 0 {
            verdict.reasons.append("nothing was answered\(firstError.map { ": \($0)" } ?? "")")
        } else if result.errors > 0 {
            let first = firstError.map { ", the first one: \($0)" } ?? ""
            verdict.warnings.append("\(result.errors) operations failed\(first)")
        }
        if result.unanswered > 0 {
            verdict.warnings.append("\(result.unanswered) operations were never answered")
        }
    }

    private func percent(_ share: Double) -> String {
        "\(Int((share * 100).rounded())) %"
    }
}
