import Testing

@testable import LoadGenerator

@Suite struct WorkerPartsTests {
    @Test func freeSlotsAreTakenInTurn() {
        var slots = FreeSlots(capacity: 3)
        for client in 0..<3 { slots.append(FreeSlots.Slot(client: client, since: 0)) }
        #expect(slots.popFirst()?.client == 0)
        slots.append(FreeSlots.Slot(client: 7, since: 1))
        #expect((0..<3).map { _ in slots.popFirst()?.client } == [1, 2, 7])
        #expect(slots.popFirst() == nil)
    }

    @Test func pendingCommandsKeepTheirOrder() {
        var pending = PendingCommands(capacity: 3)
        for round in 0..<5 {
            for number in 0..<3 {
                pending.append(
                    PendingCommand(
                        intended: Int64(round), sent: Int64(number), group: -1, keys: 1,
                        form: .text, operation: .get))
            }
            for number in 0..<3 {
                #expect(pending.first.sent == Int64(number))
                pending.removeFirst()
            }
            #expect(pending.count == 0)
        }
    }

    @Test func aSplitReadIsDoneWithItsLastPart() {
        var reads = SplitReads()
        let first = reads.begin()
        reads.addPart(first, keys: 3)
        reads.addPart(first, keys: 2)
        let second = reads.begin()
        reads.addPart(second, keys: 1)
        #expect(reads.finishPart(first, hits: 3, failed: false) == nil)
        #expect(reads.isOpen(first))
        let alone = reads.finishPart(second, hits: 0, failed: true)
        #expect(alone?.failed == true)
        let whole = reads.finishPart(first, hits: 1, failed: false)
        #expect(whole?.keys == 5)
        #expect(whole?.hits == 4)
        #expect(whole?.failed == false)
        #expect(reads.begin() == first, "numbers are used again")
    }

    @Test func valuesAreTheSameEveryTime() {
        let (first, second) = (ValueBlock(byteCount: 300), ValueBlock(byteCount: 300))
        defer {
            first.release()
            second.release()
        }
        #expect(first.bytes(300).elementsEqual(second.bytes(300)))
        #expect(Set(first.bytes(300)).count > 30, "nothing compresses them away")
        #expect(first.bytes(300).allSatisfy { (0x21...0x7E).contains($0) })
    }

    @Test func clientsAndOperationsAreDealtOut() throws {
        var settings = LoadSettings(servers: [])
        (settings.clients, settings.threads) = (7, 3)
        let plan = try LoadPlan(settings: settings, phases: [])
        #expect((0..<3).map { plan.clientCount(thread: $0) } == [3, 2, 2])
        #expect((0..<3).map { plan.share(of: 10, thread: $0) } == [4, 3, 3])
    }

    @Test func aWarmUpComesFirstAndIsNotReported() throws {
        var settings = LoadSettings(servers: [])
        settings.warmupSeconds = 2
        let phases = ["a", "b"].map { name in
            LoadPhase(
                name: name,
                settings: LoadSettings(servers: [
                    ServerTarget(name: "x", location: .unix(path: "/x"))
                ]), length: .seconds(3), isReported: true)
        }
        let plan = try LoadPlan(settings: settings, phases: phases)
        #expect(plan.phases.map(\.name) == ["warm-up", "a", "b"])
        #expect(plan.phases.map(\.isReported) == [false, true, true])
        #expect((0..<3).map { plan.offset(ofPhase: $0) } == [0, 2_000_000_000, 5_000_000_000])
    }
}
