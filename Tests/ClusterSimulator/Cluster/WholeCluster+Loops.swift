// What a loop does in a turn, as the node's own loops do it: take the newest table, read clock and
// lease once, execute what had been received by then, then let the replies leave.

import ControlPlane
import Placement
import Primitives

extension WholeCluster {
    /// Has a loop take a turn soon.
    mutating func wake(_ loop: LoopAddress, after delay: Int64) {
        world.schedule(.turn(loop), after: delay)
    }

    /// Something has come for a loop.
    private mutating func put(_ item: ClusterLoop.Item, _ address: LoopAddress) {
        guard let process = process(address) else { return }
        process.loops[address.loop].inbox.append(item)
        wake(address, after: delays.within(5_000...200_000))
    }

    mutating func receive(_ batch: ClusterBatch) {
        let connection = batch.connection
        let address = LoopAddress(
            machine: connection.machine, life: connection.life, loop: connection.loop)
        guard process(address) != nil, connection.isOpen else { return closed(connection) }
        for operation in batch.operations { put(.request(connection, operation), address) }
    }

    mutating func receive(_ frame: ClusterFrame) {
        let address = LoopAddress(
            machine: frame.link.receiver, life: frame.receiverLife, loop: frame.receiverLoop)
        guard process(address) != nil else { return refuseConnection(frame) }
        put(.frame(frame), address)
    }

    mutating func receive(_ answer: ClusterFrameAnswer) {
        let frame = answer.frame
        put(
            .answer(answer),
            LoopAddress(machine: frame.sender, life: frame.senderLife, loop: frame.senderLoop))
    }

    // MARK: Turns

    mutating func turn(_ address: LoopAddress, _ action: ClusterAction) throws(Finding) {
        guard let process = process(address), !postpone(action, for: address.machine) else {
            return
        }
        let loop = process.loops[address.loop]
        guard !loop.isBusy else { return }
        guard loop.sleepsUntil <= world.now else {
            return wake(address, after: loop.sleepsUntil - world.now)
        }
        try takeTable(loop, process, on: address.machine)
        guard nodes[address.machine].process === process else { return }
        loop.isBusy = true
        loop.turnBegan = world.now
        loop.clock = clock(of: address.machine)
        loop.gate?.begin(lease(of: process), at: loop.clock)
        loop.work = loop.inbox
        loop.workHead = 0
        loop.inbox.removeAll(keepingCapacity: true)
        try judgeOwnership(loop, on: address.machine)
        expireForwards(of: loop, address)
        try work(loop, process, address)
    }

    /// The lease as the loops see it, or as a planted bug makes them see it.
    func lease(of process: ClusterProcess) -> ServeLease {
        var lease = process.lease
        if has(.noServeLease), lease.settled > 0 { lease.end = Instant(nanoseconds: .max) }
        if has(.settledIgnored) { lease.settled = .max }
        return lease
    }

    /// Goes on with a turn that stood still.
    mutating func resume(_ address: LoopAddress, _ action: ClusterAction) throws(Finding) {
        guard let process = process(address), !postpone(action, for: address.machine) else {
            return
        }
        try work(process.loops[address.loop], process, address)
    }

    private mutating func work(
        _ loop: ClusterLoop, _ process: ClusterProcess, _ address: LoopAddress
    ) throws(Finding) {
        while let item = loop.nextWork() {
            try execute(item, loop, process, address)
            if let pause = standstill() {
                world.coverage.add(.turnsInterrupted)
                return world.schedule(.resume(address), after: pause)
            }
        }
        finishTurn(loop, address)
    }

    /// How long the kernel runs something else now, if it does.
    private mutating func standstill() -> Int64? {
        guard !isAtPeace, delays.chance(permille: 10) else { return nil }
        return delays.chance(permille: 100)
            ? delays.within(50_000_000...4_000_000_000) : delays.within(100_000...20_000_000)
    }

    private mutating func finishTurn(_ loop: ClusterLoop, _ address: LoopAddress) {
        loop.isBusy = false
        sendFrames(of: loop, address)
        for connection in loop.connections { flush(connection) }
        loop.connections.removeAll { !$0.isOpen || (!$0.isWanted && $0.slots.isEmpty) }
        if !isAtPeace, delays.chance(permille: 2) {
            // A long piece of work of its own.
            loop.sleepsUntil = world.now + delays.within(1_000_000...200_000_000)
        }
        if !loop.inbox.isEmpty || loop.nextTable != nil {
            wake(address, after: delays.within(1_000...50_000))
        }
    }

    private mutating func execute(
        _ item: ClusterLoop.Item, _ loop: ClusterLoop, _ process: ClusterProcess,
        _ address: LoopAddress
    ) throws(Finding) {
        switch item {
        case .request(let connection, let operation):
            try serve(operation, connection, loop, process, address)
        case .frame(let frame): try serve(frame, loop, process, address)
        case .answer(let answer): take(answer, loop, address)
        }
    }

    private mutating func serve(
        _ operation: ClusterOperation, _ connection: ClusterConnection, _ loop: ClusterLoop,
        _ process: ClusterProcess, _ address: LoopAddress
    ) throws(Finding) {
        guard connection.isOpen else { return }
        guard !connection.isHeld else { return connection.waiting.append(operation) }
        let slot = connection.expect(operation)
        switch verdict(loop, operation.key) {
        case .serve(let floor):
            slot.reply = try execute(operation, floor, loop, process, on: address.machine)
        case .withhold:
            world.coverage.add(.withheld)
            fail(slot, isKnown: true)
        case .forward(let member):
            forward(slot, connection, to: member, loop, process, address)
        case nil: fail(slot, isKnown: true)
        }
    }

    private mutating func serve(
        _ frame: ClusterFrame, _ loop: ClusterLoop, _ process: ClusterProcess,
        _ address: LoopAddress
    ) throws(Finding) {
        func refuse(_ refusal: ServeGate.Refusal) {
            loop.answers.append(ClusterFrameAnswer(frame, refusal: refusal, at: loop.clock))
        }
        guard let gate = loop.gate else { return refuse(.behind) }
        let refusal = gate.refusal(
            epoch: has(.epochIgnored) ? 0 : frame.epoch,
            deadline: has(.forwardAfterDeadline) ? loop.clock : frame.deadline, at: loop.clock)
        if let refusal {
            world.coverage.add(refusal == .behind ? .refusedBehind : .refusedExpired)
            return refuse(refusal)
        }
        switch verdict(loop, frame.operation.key) {
        case .serve(let floor):
            try judgeDeadline(frame, loop)
            let reply = try execute(frame.operation, floor, loop, process, on: address.machine)
            loop.answers.append(ClusterFrameAnswer(frame, reply: reply, at: loop.clock))
        case .withhold, nil:
            world.coverage.add(.refusedWithheld)
            refuse(.withheld)
        case .forward where has(.epochIgnored):
            let reply = try execute(
                frame.operation, Version(value: 0), loop, process, on: address.machine)
            loop.answers.append(ClusterFrameAnswer(frame, reply: reply, at: loop.clock))
        case .forward:
            world.coverage.add(.refusedMoved)
            refuse(.moved)
        }
    }

    /// What a loop's gate says of a key; nil before there is a table.
    func verdict(_ loop: ClusterLoop, _ key: Int) -> ServeGate.Verdict? {
        let bytes = keys[key]
        let word = bytes.span.bytes
        return loop.gate?.verdict(word, KeyHash(of: word))
    }

    // MARK: Shards

    private mutating func execute(
        _ operation: ClusterOperation, _ floor: Version, _ loop: ClusterLoop,
        _ process: ClusterProcess, on index: Int
    ) throws(Finding) -> [UInt8] {
        let key = keys[operation.key]
        let shard = process.shards[operation.key % Self.shardsPerNode]
        let now = ClockReading(instant: loop.clock, unixSeconds: 1_800_000_000)
        let floor = has(.minVersionIgnored) ? Version(value: 0) : floor
        let before = shard.peek(key, floor: floor, at: now)
        let nothing = Version(value: 0)
        let beneath = shard.peek(key, floor: nothing, at: now)
        let reply = shard.run(operation.text, key: key, floor: floor, at: now)
        // Under a new table an old shard's version may lie below the bound, and be lost at once.
        var after = shard.peek(key, floor: nothing, at: now)
        if after == beneath { after = before }
        world.note(
            "\(nodes[index].name).\(loop.number) executes \(operation.brief): "
                + "\(String(describing: before)) -> \(String(describing: after))")
        try ledger.executed(operation, before, after, at: world.now)
        return reply
    }
}
