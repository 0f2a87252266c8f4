import Testing

@testable import LoadGenerator

/// What `kiln bench verify` takes for a violation.
///
/// Times are in any unit.
@Suite struct KeyHistoryTests {
    private var history = KeyHistory()

    /// A write sent at `start` and acknowledged at `end`.
    private mutating func write(_ start: Int64, _ end: Int64) -> Int {
        let number = history.begin(at: start)
        history.acknowledge(number, at: end)
        return number
    }

    /// A read sent now that returns write `number` at `end`.
    private mutating func read(_ number: Int, cas: UInt64? = nil, at end: Int64) -> String? {
        let floor = history.floor
        return history.check(
            read: number, cas: cas ?? UInt64(1_000 + number), floor: floor, at: end)
    }

    @Test mutating func theLatestWriteMayBeRead() {
        _ = write(0, 10)
        let second = write(20, 30)
        #expect(read(second, at: 40) == nil)
    }

    @Test mutating func anOlderWriteMayNot() {
        let first = write(0, 10)
        _ = write(20, 30)
        #expect(read(first, at: 40)?.contains("was over before write 1 was sent") == true)
    }

    /// Either may be the later one.
    @Test mutating func writesAtTheSameTimeMayBothBeRead() {
        let first = write(0, 30)
        let second = write(10, 20)
        #expect(read(first, at: 40) == nil)
        #expect(read(second, at: 50) == nil)
    }

    /// A read that was under way when a write was acknowledged may still return the old value.
    @Test mutating func aReadUnderWayMayReturnTheOldValue() {
        let first = write(0, 10)
        let floor = history.floor
        _ = write(20, 30)
        #expect(history.check(read: first, cas: 1, floor: floor, at: 40) == nil)
    }

    @Test mutating func whatSomebodyReadStaysRead() {
        let first = write(0, 10)
        let second = history.begin(at: 20)  // Never answered.
        #expect(read(first, at: 30) == nil)
        #expect(read(second, at: 40) == nil, "it may have happened")
        #expect(read(first, at: 50) != nil, "the second one is known to have happened now")
    }

    /// A write without an answer may take effect late, after an acknowledged one.
    @Test mutating func anUnansweredWriteMayComeLate() {
        let lost = history.begin(at: 0)
        let second = write(20, 30)
        #expect(read(second, at: 40) == nil)
        #expect(read(lost, at: 50) == nil)
    }

    @Test mutating func nobodyReadsWhatWasDeleted() {
        let first = write(0, 10)
        _ = write(20, 30)  // A delete is a write of nothing.
        #expect(read(first, at: 40) != nil)
    }

    @Test mutating func aWriteThatNobodyMadeIsNamed() {
        #expect(read(3, at: 10) == "it returned write 3, which nobody made")
    }

    @Test mutating func aWriteKeepsItsCAS() {
        let first = write(0, 10)
        #expect(read(first, cas: 7, at: 20) == nil)
        #expect(read(first, cas: 7, at: 30) == nil)
        #expect(read(first, cas: 8, at: 40)?.contains("had the CAS unique 7 before") == true)
    }

    @Test mutating func noTwoWritesShareACAS() {
        let first = write(0, 10)
        #expect(read(first, cas: 7, at: 15) == nil)
        let second = write(20, 30)
        #expect(read(second, cas: 7, at: 40)?.contains("which write 0 had") == true)
    }

    @Test mutating func aCASOnAnOldVersionIsAViolation() {
        let first = write(0, 10)
        #expect(history.check(conditionOn: first, floor: history.floor) == nil)
        _ = write(20, 30)
        #expect(history.check(conditionOn: first, floor: history.floor) != nil)
    }

    @Test mutating func aCASSentBeforeTheWriteWasKnownIsNone() {
        let first = write(0, 10)
        let floor = history.floor
        _ = write(20, 30)
        #expect(history.check(conditionOn: first, floor: floor) == nil)
    }

    @Test mutating func theHistoryIsBounded() {
        var last = 0
        for time in 0..<Int64(KeyHistory.writeLimit + 10) { last = write(time * 10, time * 10 + 5) }
        #expect(read(0, at: .max)?.contains("long after") == true)
        #expect(read(last, at: .max) == nil)
        for number in 0..<40 {
            history.note(KeyHistory.Event(client: number, text: "", start: 0, end: 0))
        }
        #expect(history.events.map(\.client) == Array(16..<40))
    }

    @Test(arguments: [(0, 0), (3, 7), (12, 199), (12, 200), (1, 1_234_567)])
    func valuesNameTheirWrite(_ key: Int, _ write: Int) {
        let value = VerifyClient.value(key, write)
        #expect(VerifyClient.writeNumber(value, key) == write)
        #expect(VerifyClient.writeNumber(value, key + 1) == nil, "another key's value")
        #expect(VerifyClient.writeNumber(value.dropLast(), key) == nil, "torn")
        #expect(VerifyClient.writeNumber(value + [46], key) == nil, "too long")
    }

    @Test func nonsenseNamesNoWrite() {
        for text in ["", "kiln", "kiln key=1 write=-1 .", "kiln key=1 write=x ."] {
            #expect(VerifyClient.writeNumber(Array(text.utf8), 1) == nil)
        }
    }
}
