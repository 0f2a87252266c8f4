import Primitives
import Testing

@testable import ClusterSimulator

/// Each property is seen broken once, by hand.
@Suite struct LedgerTests {
    private let first = NodeID(1)
    private let second = NodeID(2)

    private func property(_ body: () throws(Finding) -> Void) -> String? {
        do throws(Finding) {
            try body()
            return nil
        } catch {
            return error.property
        }
    }

    /// A log with these terms, noted in `ledger`.
    private func log(_ terms: [UInt64], _ ledger: inout RaftLedger) throws(Finding) -> ShadowLog {
        var log = ShadowLog()
        for (offset, term) in terms.enumerated() {
            try ledger.appended(
                first, term: term, payloadHash: term &* 7 &+ UInt64(offset),
                at: UInt64(offset) + 1, leads: false, log: &log)
        }
        return log
    }

    @Test func twoLeadersOfATerm() {
        var ledger = RaftLedger()
        #expect(
            property { () throws(Finding) in
                try ledger.elected(first, term: 3, log: ShadowLog())
                try ledger.elected(first, term: 3, log: ShadowLog())
                try ledger.elected(second, term: 3, log: ShadowLog())
            } == "one leader per term")
    }

    @Test func twoVotesOfATerm() {
        var ledger = RaftLedger()
        #expect(
            property { () throws(Finding) in
                try ledger.voted(first, for: first, term: 3)
                try ledger.voted(first, for: first, term: 3)
                try ledger.voted(first, for: second, term: 4)
                try ledger.voted(first, for: second, term: 3)
            } == "one vote per term")
    }

    @Test func aLeaderWithoutACommittedEntry() {
        var ledger = RaftLedger()
        #expect(
            property { () throws(Finding) in
                let whole = try log([1, 1], &ledger)
                let short = try log([1], &ledger)
                try ledger.committed(first, through: 2, term: 2, log: whole)
                try ledger.elected(first, term: 2, log: whole)
                try ledger.elected(second, term: 3, log: short)
            } == "leader completeness")
    }

    /// Seed 4359 of five servers: the last vote for term 2 came when term 3 had committed already.
    @Test func aLeaderWhoseVotesCameLateMayLackWhatALaterOneCommitted() throws {
        var ledger = RaftLedger()
        let whole = try log([1, 3], &ledger)
        let short = try log([1], &ledger)
        try ledger.committed(first, through: 2, term: 3, log: whole)
        try ledger.elected(second, term: 2, log: short)
    }

    @Test func twoHistoriesThatMeet() {
        var ledger = RaftLedger()
        #expect(
            property { () throws(Finding) in
                _ = try log([1, 1, 3], &ledger)
                _ = try log([1, 2, 3], &ledger)
            } == "log matching")
    }

    @Test func anotherEntryAtACommittedPlace() {
        var ledger = RaftLedger()
        #expect(
            property { () throws(Finding) in
                try ledger.committed(first, through: 2, term: 2, log: try log([1, 1], &ledger))
                try ledger.committed(second, through: 2, term: 2, log: try log([1, 2], &ledger))
            } == "state machine safety")
    }

    @Test func aCommittedEntryThatGoes() {
        var ledger = RaftLedger()
        #expect(
            property { () throws(Finding) in
                var whole = try log([1, 1, 1], &ledger)
                try ledger.committed(first, through: 2, term: 2, log: whole)
                try ledger.truncated(first, after: 2, leads: false, log: &whole)
                try ledger.truncated(first, after: 1, leads: false, log: &whole)
            } == "committed entries stay")
    }

    @Test func aLeaderThatTakesBack() {
        var ledger = RaftLedger()
        #expect(
            property { () throws(Finding) in
                var whole = try log([1, 1], &ledger)
                try ledger.truncated(first, after: 1, leads: true, log: &whole)
            } == "leader append-only")
    }

    @Test func appliedBeforeCommitted() {
        var ledger = RaftLedger()
        #expect(
            property { () throws(Finding) in
                try ledger.applied(first, 1, state: 5)
            } == "apply after commit")
    }

    @Test func twoStatesAfterOneEntry() {
        var ledger = RaftLedger()
        #expect(
            property { () throws(Finding) in
                try ledger.committed(first, through: 1, term: 1, log: try log([1], &ledger))
                try ledger.applied(first, 1, state: 5)
                try ledger.applied(second, 1, state: 6)
            } == "equal states")
    }

    @Test func readsMustNotGoBack() {
        var reads = ReadLedger()
        #expect(
            property { () throws(Finding) in
                let early = reads.floor()
                try reads.wrote(4, floor: early)
                // One that began before the write was answered may still miss it.
                try reads.read(3, floor: early, how: "read")
                try reads.read(4, floor: reads.floor(), how: "read")
                try reads.read(3, floor: reads.floor(), how: "read")
            } == "linearizable reads")
        #expect(
            property { () throws(Finding) in
                try reads.wrote(4, floor: reads.floor())
            } == "linearizable writes")
    }

    @Test func shadowsCompactAndTruncate() {
        var log = ShadowLog()
        let marks = (UInt64(1)...5).map { log.append(term: $0, payloadHash: 0) }
        log.compact(to: 3)
        #expect(log.baseIndex == 3 && log.lastIndex == 5)
        #expect(log[3] == marks[2] && log[5] == marks[4] && log[2] == nil && log[6] == nil)
        log.truncate(after: 4)
        #expect(log.lastIndex == 4 && log.append(term: 5, payloadHash: 0) == marks[4])
    }
}
