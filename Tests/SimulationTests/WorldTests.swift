import Primitives
import Testing

@testable import ClusterSimulator

@Suite struct WorldTests {
    @Test func eventsComeByTimeThenByOrderOfScheduling() {
        var queue = EventQueue<Int>()
        var random = SeededGenerator(seed: 7)
        var expected: [(time: Int64, number: Int)] = []
        for number in 0..<2_000 {
            let time = random.within(0...300)
            queue.push(number, at: time)
            expected.append((time, number))
        }
        expected.sort { ($0.time, $0.number) < ($1.time, $1.number) }
        for event in expected {
            let next = queue.pop()
            #expect(next?.time == event.time && next?.action == event.number)
        }
        #expect(queue.pop() == nil)
    }

    @Test func aClockDriftsLeapsAndNeverRunsBackwards() {
        var clock = NodeClock(offset: 5_000, driftPPM: 10_000, at: 0)
        #expect(clock.local(at: 0) == Instant(nanoseconds: 5_000))
        #expect(clock.local(at: 1_000_000) == Instant(nanoseconds: 1_015_000))
        clock.setDrift(ppm: -10_000, at: 1_000_000)
        #expect(clock.local(at: 2_000_000) == Instant(nanoseconds: 2_005_000))
        clock.leap(by: 70, at: 2_000_000)
        #expect(clock.local(at: 2_000_000) == Instant(nanoseconds: 2_005_070))
        #expect(NodeClock(offset: 0, driftPPM: 10_000, at: 0).trueDuration(ofLocal: 101) == 100)
    }

    @Test func aDiskKeepsWhatWasSyncedAndAPrefixOfTheRest() {
        var random = SeededGenerator(seed: 1)
        var sawLoss = false
        var sawTear = false
        var sawAll = false
        for _ in 0..<500 {
            var disk = VirtualDisk()
            let synced = disk.write(.append("log", [1, 2, 3]))
            disk.sync(through: synced)
            _ = disk.write(.append("log", [4, 5, 6]))
            _ = disk.write(.append("log", [7, 8, 9]))
            #expect(disk.contents(of: "log") == [1, 2, 3, 4, 5, 6, 7, 8, 9])
            let loss = disk.losePower(&random)
            let left = disk.contents(of: "log") ?? []
            #expect(left.starts(with: [1, 2, 3]))
            let whole: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 9]
            let untorn = left.prefix { $0 != 0 }
            #expect(whole.starts(with: untorn) && left.count <= whole.count)
            sawLoss = sawLoss || loss.lostWrites == 2
            sawTear = sawTear || loss.tornBytes > 0
            sawAll = sawAll || loss.lostWrites == 0
        }
        #expect(sawLoss && sawTear && sawAll)
    }

    @Test func replacingAFileIsAllOrNothing() {
        var random = SeededGenerator(seed: 2)
        for _ in 0..<100 {
            var disk = VirtualDisk()
            disk.sync(through: disk.write(.replace("vote", [1, 1])))
            _ = disk.write(.replace("vote", [2, 2]))
            _ = disk.losePower(&random)
            let left = disk.contents(of: "vote")
            #expect(left == [1, 1] || left == [2, 2])
        }
    }

    @Test func aKilledProcessLosesNoWrite() {
        var disk = VirtualDisk()
        _ = disk.write(.append("log", [1]))
        _ = disk.write(.truncate("log", count: 0))
        _ = disk.write(.append("log", [2]))
        disk.flush()
        var random = SeededGenerator(seed: 3)
        #expect(disk.losePower(&random) == VirtualDisk.Loss())
        #expect(disk.contents(of: "log") == [2])
    }

    @Test func linksLoseDoubleAndHoldBackAsTold() {
        var network = VirtualNetwork(count: 2, random: SeededGenerator(seed: 4))
        network[from: 0, to: 1].lossPermille = 300
        network[from: 0, to: 1].duplicatePermille = 100
        var lost = 0
        var doubled = 0
        for _ in 0..<10_000 {
            switch network.fate(from: 0, to: 1, at: 0) {
            case .dropped: lost += 1
            case .doubled: doubled += 1
            case .delivered(let delay): #expect(VirtualNetwork.usualDelay.contains(delay))
            case .cut: Issue.record("the link is not cut")
            }
        }
        #expect(2_800...3_200 ~= lost && 600...800 ~= doubled)
        network[from: 1, to: 0].cloggedUntil = 5_000_000
        if case .delivered(let delay) = network.fate(from: 1, to: 0, at: 1_000_000) {
            #expect(delay >= 4_000_000)
        } else {
            Issue.record("a clogged link loses nothing")
        }
        network[from: 1, to: 0].cuts = 1
        #expect(network.fate(from: 1, to: 0, at: 0) == .cut)
    }

    @Test func everyKindOfDisturbanceComesInTheFirstRound() {
        for seed in UInt64(0)..<50 {
            var plan = FaultPlan(
                kinds: Disturbance.allCases, random: SeededGenerator(seed: seed))
            var drawn: Set<Disturbance> = []
            for _ in Disturbance.allCases { drawn.insert(plan.next()?.kind ?? .pause) }
            #expect(drawn.count == Disturbance.allCases.count)
        }
    }

    @Test func theDigestSeesOrderAndContent() {
        var digests: [TraceDigest] = []
        for words in [[UInt64(1), 2], [2, 1], [1, 2, 0], [1]] {
            var digest = TraceDigest()
            for word in words { digest.mix(word) }
            digests.append(digest)
        }
        #expect(Set(digests.map(\.value)).count == 4)
    }
}
