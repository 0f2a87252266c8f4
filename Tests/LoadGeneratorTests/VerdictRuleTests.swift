import Testing

@testable import LoadGenerator

/// When the generator, and not the servers, made the numbers.
@Suite struct VerdictRuleTests {
    /// The verdict on a sound run of 1,000 reads in 10 s, p99 990 us, after `change`.
    private func verdict(
        isOpenLoop: Bool = false, firstError: String? = nil,
        _ change: (inout RunResult) -> Void
    ) -> Verdict {
        var operation = OperationResult(kind: .get)
        operation.requests = 1_000
        for latency in 1...1_000 { operation.latency.record(Int64(latency) * 1_000, count: 1) }
        var result = RunResult()
        result.seconds = 10
        result.operations = [operation]
        result.generator.threads = 1
        result.generator.busiestThreadShare = 0.5
        result.servers = [ServerShare(name: "a")]
        change(&result)
        return VerdictRule(isOpenLoop: isOpenLoop).verdict(on: result, firstError: firstError)
    }

    @Test func aSoundRunIsValid() {
        let verdict = verdict { _ in }
        #expect(verdict.isValid)
        #expect(verdict.warnings.isEmpty)
    }

    @Test func aFullThreadIsInvalid() {
        let verdict = verdict { $0.generator.busiestThreadShare = 0.96 }
        #expect(!verdict.isValid)
        #expect(verdict.reasons.first?.contains("raise --threads") == true)
    }

    @Test func aFullThreadBesideAFullServerIsNot() {
        let both = verdict {
            $0.generator.busiestThreadShare = 0.96
            $0.servers[0].busiestThreadShare = 0.96
        }
        #expect(both.isValid)
        #expect(both.warnings.count == 1)
        let alone = verdict {
            $0.generator.busiestThreadShare = 0.96
            $0.servers[0].busiestThreadShare = 0.5
        }
        #expect(!alone.isValid)
        #expect(alone.reasons.first?.contains("the busiest server thread 50 %") == true)
    }

    @Test func sendingLateIsInvalidInOpenLoop() {
        let late: (inout RunResult) -> Void = { $0.generator.lagP99Nanoseconds = 1_100_000 }
        #expect(verdict(late).isValid, "closed loop has no schedule")
        #expect(!verdict(isOpenLoop: true, late).isValid)
        // A lag far below the latency is not what made it.
        let lost = verdict(isOpenLoop: true) { result in
            late(&result)
            for _ in 0..<100 { result.operations[0].latency.record(500_000_000, count: 1) }
        }
        #expect(lost.isValid)
    }

    @Test func noAnswersAreInvalid() {
        let verdict = verdict(firstError: "SERVER_ERROR x") { $0.operations = [] }
        #expect(verdict.reasons == ["nothing was answered: SERVER_ERROR x"])
    }

    @Test func aRunThatEndedAsItBeganIsInvalid() {
        let verdict = verdict(isOpenLoop: true) { result in
            result.seconds = 0
            result.operations = []
            result.generator.waitedSeconds = 1
        }
        #expect(verdict.reasons == ["nothing was answered"])
    }

    @Test func whatAReaderShouldKnowIsNoted() {
        let verdict = verdict(isOpenLoop: true, firstError: "ERROR") { result in
            result.operations[0].errors = 3
            result.unanswered = 2
            result.unsent = 7
            result.generator.waitedSeconds = 2
        }
        #expect(verdict.isValid)
        #expect(
            verdict.warnings.map { $0.prefix(12) } == [
                "3 operations", "2 operations", "7 operations", "the generato",
            ])
        #expect(verdict.warnings[0] == "3 operations failed, the first one: ERROR")
    }
}
