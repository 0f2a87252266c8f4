import Testing

@testable import ClusterSimulator

/// A few seeds in a debug build, where assertions are on; the many run in a release build of
/// `kiln-simulate` (`scripts/test`).
@Suite struct ClusterSimulationTests {
    @Test(arguments: [1, 3, 5])
    func everyPropertyHolds(nodes: Int) {
        let seed = UInt64(nodes)
        let report = SimulatedProtocol.cluster.run(
            SimulationOptions(seed: seed, nodes: nodes, seconds: 15))
        #expect(report.violation == nil, "seed \(seed), \(nodes) nodes")
        #expect(report.coverage[.hits] > 50 && report.coverage[.writesAnswered] > 50)
    }

    @Test func aSeedGivesTheSameRunTwice() {
        let options = SimulationOptions(seed: 11, nodes: 3, seconds: 5)
        let first = SimulatedProtocol.cluster.run(options)
        let second = SimulatedProtocol.cluster.run(options)
        #expect(first.digest == second.digest && first.ticks == second.ticks)
        #expect(first.coverage == second.coverage)
    }

    /// Bugs that show at once; all are planted by `scripts/soak`.
    @Test(arguments: [PlantedBug.noServeLease, .minVersionIgnored, .installedTooEarly])
    func plantedBugsAreFound(_ bug: PlantedBug) {
        let found = (UInt64(1)...10).contains { seed in
            let options = SimulationOptions(seed: seed, nodes: 3, seconds: 30, bug: bug)
            return SimulatedProtocol.cluster.run(options).violation != nil
        }
        #expect(found)
    }

    // MARK: The promise

    private func operation(
        _ number: Int, _ kind: ClusterOperation.Kind, at began: Int64, _ ledger: PromiseLedger
    ) -> ClusterOperation {
        ClusterOperation(
            number: number, kind: kind, key: 0, isQuiet: false, text: "#\(number)", began: began,
            floor: ledger.floor(0))
    }

    /// Two writes, one after the other; then a look at the first.
    @Test func anOldValueIsNoticed() throws {
        var ledger = PromiseLedger(keys: 1)
        let values = ["a", "b"].enumerated().map {
            StoredValue(value: $1, version: UInt64($0 + 1))
        }
        for (number, value) in values.enumerated() {
            let write = operation(number, .set, at: Int64(number * 10), ledger)
            try ledger.executed(write, nil, value, at: Int64(number * 10 + 5))
            try ledger.answered(write, .done)
        }
        let missed = operation(2, .get, at: 20, ledger)
        try ledger.executed(missed, nil, nil, at: 21)
        try ledger.answered(missed, .miss)
        let read = operation(3, .get, at: 30, ledger)
        try ledger.executed(read, values[0], values[0], at: 31)
        #expect(throws: Finding.self) { try ledger.answered(read, .hit("a", nil)) }
    }

    /// A look that began before the second write was done may see the first.
    @Test func whatOverlapsMayBeSeenInEitherOrder() throws {
        var ledger = PromiseLedger(keys: 1)
        let first = StoredValue(value: "a", version: 1)
        let write = operation(0, .set, at: 0, ledger)
        try ledger.executed(write, nil, first, at: 5)
        try ledger.answered(write, .done)
        let next = operation(1, .set, at: 10, ledger)
        let read = operation(2, .get, at: 11, ledger)
        try ledger.executed(read, first, first, at: 12)
        try ledger.executed(next, first, StoredValue(value: "b", version: 2), at: 13)
        try ledger.answered(next, .done)
        try ledger.answered(read, .hit("a", nil))
    }

    /// Whoever has read a value has seen all that was before it.
    @Test func whatWasReadIsKnown() throws {
        var ledger = PromiseLedger(keys: 1)
        let values = ["a", "b"].enumerated().map {
            StoredValue(value: $1, version: UInt64($0 + 1))
        }
        for (number, value) in values.enumerated() {
            // Nobody is told what became of the writes.
            let write = operation(number, .set, at: Int64(number), ledger)
            try ledger.executed(write, nil, value, at: Int64(number + 5))
        }
        let read = operation(2, .get, at: 10, ledger)
        try ledger.executed(read, values[1], values[1], at: 11)
        try ledger.answered(read, .hit("b", nil))
        let later = operation(3, .get, at: 20, ledger)
        try ledger.executed(later, values[0], values[0], at: 21)
        #expect(throws: Finding.self) { try ledger.answered(later, .hit("a", nil)) }
    }

    @Test func whatIsRefusedMustNotHappen() throws {
        var ledger = PromiseLedger(keys: 1)
        let write = operation(0, .set, at: 0, ledger)
        try ledger.executed(write, nil, StoredValue(value: "a", version: 1), at: 1)
        #expect(throws: Finding.self) { try ledger.answered(write, .refused) }
    }

    @Test func aFlushEndsWhatWasBefore() throws {
        var ledger = PromiseLedger(keys: 1)
        let value = StoredValue(value: "a", version: 1)
        let write = operation(0, .set, at: 0, ledger)
        try ledger.executed(write, nil, value, at: 1)
        try ledger.answered(write, .done)
        ledger.flushed(began: 10, epoch: 2)
        let read = operation(1, .get, at: 20, ledger)
        try ledger.executed(read, value, value, at: 21)
        #expect(throws: Finding.self) { try ledger.answered(read, .hit("a", nil)) }
    }

    @Test(arguments: [
        ("VALUE key-1 0 2 17\r\nv7\r\nEND\r\n", ClusterReply.hit("v7", 17)),
        ("VALUE key-1 0 2\r\nv7\r\nEND\r\n", .hit("v7", nil)),
        ("VA 2 c17\r\nv7\r\n", .hit("v7", 17)),
        ("VA 0 c17 W\r\n\r\n", .miss),
        ("END\r\n", .miss), ("EN\r\n", .miss), ("NOT_FOUND\r\n", .miss),
        ("STORED\r\n", .done), ("HD c9\r\n", .done), ("NOT_STORED\r\n", .unmet),
        ("EXISTS\r\n", .unmet),
        ("SERVER_ERROR owner unreachable\r\n", .refused),
        ("SERVER_ERROR outcome unknown\r\n", .unknown), ("ERROR\r\n", .nonsense("ERROR\r\n")),
    ])
    func repliesAreUnderstood(_ text: String, _ reply: ClusterReply) {
        let asked = operation(0, .metaGet, at: 0, PromiseLedger(keys: 1))
        #expect(ClusterReply(Array(text.utf8), to: asked) == reply)
    }
}
