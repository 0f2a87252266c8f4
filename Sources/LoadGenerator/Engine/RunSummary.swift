/// Makes results of what the threads recorded.
struct RunSummary {
    let plan: LoadPlan
    /// By phase and server, as ``RunWatch/processor``.
    let processor: [[RunWatch.ServerUse?]]

    /// One result per reported phase that any thread reached.
    func results(of outcomes: [RunState.Outcome]) -> [RunResult] {
        plan.phases.indices.compactMap { index in
            let recordings = outcomes.compactMap {
                index < $0.recordings.count ? $0.recordings[index] : nil
            }
            guard plan.phases[index].isReported, !recordings.isEmpty else { return nil }
            return result(of: recordings, phase: index)
        }
    }

    private func result(of recordings: [Recording], phase index: Int) -> RunResult {
        let phase = plan.phases[index]
        var result = RunResult()
        result.phase = phase.name
        result.intendedRate = phase.settings.rate
        result.seconds = seconds(recordings)
        for kind in OperationKind.allCases {
            var sum = OperationResult(kind: kind)
            for recording in recordings { sum.add(recording.operations[kind.rawValue]) }
            // In closed loop nothing waits to be sent: both latencies are one.
            if !plan.isOpenLoop { sum.serviceTime = sum.latency }
            if sum.requests + sum.errors > 0 { result.operations.append(sum) }
        }
        result.samples = samples(recordings)
        result.servers = servers(recordings, phase: index, seconds: result.seconds)
        result.unanswered = recordings.reduce(0) { $0 + $1.unanswered }
        result.unsent = recordings.reduce(0) { $0 + $1.unsent }
        result.generator = generator(recordings, seconds: result.seconds)
        result.verdict = VerdictRule(isOpenLoop: plan.isOpenLoop).verdict(
            on: result, firstError: recordings.compactMap(\.firstError).first)
        return result
    }

    /// From the phase's beginning to its last answer, or its planned end if that is later.
    private func seconds(_ recordings: [Recording]) -> Double {
        let end = recordings.map { max($0.lastAnswer, $0.end) }.max() ?? 0
        return Double(end - (recordings.map(\.start).min() ?? end)) / 1e9
    }

    private func samples(_ recordings: [Recording]) -> [SecondSample] {
        let count = recordings.map(\.samples.count).max() ?? 0
        return (0..<count).map { second in
            var sum = SecondSample(second: second)
            for recording in recordings where second < recording.samples.count {
                let sample = recording.samples[second]
                sum.requests += sample.requests
                sum.errors += sample.errors
                sum.longestNanoseconds = max(sum.longestNanoseconds, sample.longestNanoseconds)
            }
            return sum
        }
    }

    private func servers(
        _ recordings: [Recording], phase: Int, seconds: Double
    ) -> [ServerShare] {
        plan.servers.enumerated().map { index, server in
            var share = ServerShare(name: server.name)
            share.requests = recordings.reduce(0) { $0 + $1.serverRequests[index] }
            share.processorSeconds = processor[phase][index]?.all
            share.busiestThreadShare = processor[phase][index].map {
                $0.busiest / max(seconds, 1e-9)
            }
            return share
        }
    }

    private func generator(_ recordings: [Recording], seconds: Double) -> GeneratorUse {
        var use = GeneratorUse()
        use.threads = plan.settings.threads
        var lag = LatencyHistogram()
        for recording in recordings {
            let own = Double(recording.processorNanoseconds) / 1e9
            use.processorSeconds += own
            use.busiestThreadShare = max(use.busiestThreadShare, seconds > 0 ? own / seconds : 0)
            use.waitedSeconds += Double(recording.waitedNanoseconds) / 1e9
            lag.add(recording.lag)
        }
        use.lagP99Nanoseconds = lag.nanoseconds(atPercentile: 99)
        return use
    }
}
