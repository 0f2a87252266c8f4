// When items end, and which class of time to live they belong to.
import Primitives
import Testing

@testable import Storage

struct ExpiryTests {
    struct Case: Sendable {
        var seconds: Int64
        var nowMilliseconds: Int64
        var tick: UInt32
    }

    @Test(
        "a time to live becomes a tick",
        arguments: [
            Case(seconds: 1, nowMilliseconds: 0, tick: 11),  // The clock's first tick is 1.
            Case(seconds: 1, nowMilliseconds: 5000, tick: 60),
            Case(seconds: 1, nowMilliseconds: 5099, tick: 60),
            Case(seconds: 60, nowMilliseconds: 100_000, tick: 1600),
            Case(seconds: 0, nowMilliseconds: 5000, tick: 1),
            Case(seconds: -5, nowMilliseconds: 0, tick: 1),
            Case(seconds: Int64.min, nowMilliseconds: 0, tick: 1),
            Case(seconds: 1 << 40, nowMilliseconds: 5000, tick: UInt32.max),
            Case(seconds: Int64.max, nowMilliseconds: 5000, tick: UInt32.max),
        ])
    func ticks(_ testCase: Case) {
        let now = Instant(nanoseconds: testCase.nowMilliseconds * 1_000_000)
        let expiry = Expiry(after: testCase.seconds, from: now)
        #expect(expiry.tick == testCase.tick)
        #expect(expiry.hasPassed(at: now) == (testCase.seconds <= 0))
    }

    @Test("an item ends on its tick and not before")
    func passes() {
        let expiry = Expiry(after: 2, from: Instant(nanoseconds: 3_000_000_000))
        #expect(!expiry.hasPassed(at: Instant(nanoseconds: 4_999_999_999)))
        #expect(expiry.hasPassed(at: Instant(nanoseconds: 5_000_000_000)))
        #expect(!Expiry.never.hasPassed(at: Instant(nanoseconds: Int64.max)))
    }

    @Test("seconds left are rounded up, 0 when over and -1 for never")
    func secondsLeft() {
        let start = Instant(nanoseconds: 10_000_000_000)
        let expiry = Expiry(after: 100, from: start)
        #expect(expiry.secondsLeft(at: start) == 100)
        #expect(expiry.secondsLeft(at: Instant(nanoseconds: 10_100_000_000)) == 100)
        #expect(expiry.secondsLeft(at: Instant(nanoseconds: 109_900_000_000)) == 1)
        #expect(expiry.secondsLeft(at: Instant(nanoseconds: 110_000_000_000)) == 0)
        #expect(expiry.secondsLeft(at: Instant(nanoseconds: 500_000_000_000)) == 0)
        #expect(Expiry.never.secondsLeft(at: start) == -1)
    }

    @Test("never is later than everything")
    func order() {
        #expect(Expiry(tick: 1) < Expiry(tick: 2))
        #expect(Expiry(tick: UInt32.max) < Expiry.never)
        #expect(!(Expiry.never < Expiry(tick: UInt32.max)))
        #expect(!(Expiry.never < Expiry.never))
    }

    @Test("classes rise with the time to live, four to a doubling")
    func classes() {
        #expect(TTLClass.of(.never, nowTick: 5) == 0)
        var last = 0
        for seconds in [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 60, 300, 3600, 86_400] {
            let tick = UInt32(1000 + seconds * 10)
            let ttlClass = TTLClass.of(Expiry(tick: tick), nowTick: 1000)
            #expect(ttlClass > last, "\(seconds) s")
            last = ttlClass
        }
        for doubling in 2..<28 {
            let first = TTLClass.of(Expiry(tick: UInt32(10 << doubling) + 1), nowTick: 1)
            #expect(first == 1 + doubling * 4)
        }
        #expect(TTLClass.of(Expiry(tick: UInt32.max), nowTick: 1) < TTLClass.count)
        // Already over: the shortest class, not the one without end.
        #expect(TTLClass.of(Expiry(tick: 1), nowTick: 1000) == 1)
    }
}
