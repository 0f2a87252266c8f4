import Testing

@testable import LoadGenerator

@Suite struct MaximumSearchTests {
    /// Walks against a server that keeps the objective up to `capacity`; gives the highest rate
    /// that met it and the number of steps.
    private func walk(first: Double, capacity: Double) -> (best: Double, steps: Int) {
        var walk = RateWalk(first: first)
        var best = 0.0
        var steps = 0
        while let rate = walk.next, steps < MaximumSearch.stepLimit {
            steps += 1
            if rate <= capacity { best = max(best, rate) }
            walk.note(isMet: rate <= capacity)
        }
        return (best, steps)
    }

    @Test(arguments: [1_000.0, 1_001, 31_500, 123_456, 9_999_999])
    func findsTheHighestRateFromBelow(_ capacity: Double) {
        let found = walk(first: 1_000, capacity: capacity)
        #expect(found.best <= capacity)
        #expect(found.best * MaximumSearch.precision >= capacity)
        #expect(found.steps < MaximumSearch.stepLimit, "the limit is not what ended it")
    }

    @Test(arguments: [999.0, 500, 10, 1])
    func findsTheHighestRateFromAbove(_ capacity: Double) {
        let found = walk(first: 1_000, capacity: capacity)
        #expect(found.best <= capacity)
        #expect(found.best * MaximumSearch.precision >= capacity)
    }

    @Test func givesUpWhereNothingKeepsTheObjective() {
        let found = walk(first: 1_000, capacity: 0)
        #expect(found.best == 0)
        #expect(found.steps == 11, "1,000 halved ten times")
    }

    @Test func endsWhereNoServerCanFollow() {
        let found = walk(first: 1_000, capacity: .infinity)
        #expect(found.best > 5e7 && found.best <= 1e8)
    }

    // MARK: The objective

    private func result(latencies: [Int64]) -> RunResult {
        var operation = OperationResult(kind: .get)
        for latency in latencies { operation.latency.record(latency, count: 1) }
        operation.requests = UInt64(latencies.count)
        var result = RunResult()
        result.operations = [operation]
        return result
    }

    @Test func aPercentileDecides() throws {
        let objective = try Objective("p90<1ms")
        let slow = Array(repeating: Int64(5_000_000), count: 10)
        let fast = Array(repeating: Int64(100_000), count: 90)
        #expect(objective.isMet(by: result(latencies: fast + slow)))
        #expect(!objective.isMet(by: result(latencies: fast.dropLast(2) + slow)))
        #expect(try !Objective("max<1ms").isMet(by: result(latencies: fast + slow)))
    }

    @Test func whatWasNotAnsweredMissesIt() throws {
        let objective = try Objective("p99<1s")
        let good = result(latencies: [1_000])
        #expect(objective.isMet(by: good))
        for change: (inout RunResult) -> Void in [
            { $0.operations = [] }, { $0.operations[0].errors = 1 }, { $0.unanswered = 1 },
            { $0.unsent = 1 },
        ] {
            var bad = good
            change(&bad)
            #expect(!objective.isMet(by: bad))
        }
    }
}
