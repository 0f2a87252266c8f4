// What clients do and see.

import Primitives
import Raft

extension RaftCluster {
    /// A client begins its next operation.
    mutating func clientActs(_ client: Int) throws(Finding) {
        guard !clients.areStopped else { return }
        guard let index = serverToAsk() else {
            return world.schedule(.client(client), after: 10_000_000)
        }
        clients.begun += 1
        let ticket = clients.begun
        let isRead = choices.chance(permille: RaftClients.readPermille)
        clients.open[ticket] = RaftClients.Operation(
            client: client, isRead: isRead, floor: reads.floor(), machine: index,
            life: nodes[index].machine.life)
        world.schedule(.giveUp(client: client, ticket: ticket), after: RaftClients.patience)
        if isRead, has(.readFromLocalState) { return try readReady(ticket, 0, on: index) }
        if isRead {
            world.note("client \(client) reads at \(nodes[index].id), ticket \(ticket)")
            return try step(.read(ticket: ticket), on: index)
        }
        world.coverage.add(.proposals)
        if !nodes[index].leads { world.coverage.add(.proposalsForwarded) }
        world.note("client \(client) writes at \(nodes[index].id), ticket \(ticket)")
        let command = Registers.Command(
            number: ticket, register: choices.below(Registers.count))
        try step(
            .propose(.command(command.bytes(padding: padding.command)), ticket: ticket), on: index)
    }

    /// Any server that runs; often the leader.
    private mutating func serverToAsk() -> Int? {
        if let leader, choices.chance(permille: 500), nodes[leader].machine.pausedUntil <= world.now
        {
            return leader
        }
        return choices.pick(
            nodes.indices.filter {
                nodes[$0].instance != nil && nodes[$0].machine.pausedUntil <= world.now
            })
    }

    /// A client's patience has ended.
    mutating func giveUp(_ client: Int, _ ticket: UInt64) {
        guard clients.open.removeValue(forKey: ticket) != nil else { return }
        world.schedule(.client(client), after: choices.within(RaftClients.thinkTime))
    }

    /// The operation that `ticket` names, if its client still waits for this process.
    private func operation(_ ticket: UInt64, on index: Int) -> RaftClients.Operation? {
        guard let operation = clients.open[ticket], operation.machine == index,
            operation.life == nodes[index].machine.life
        else { return nil }
        return operation
    }

    private mutating func finish(_ ticket: UInt64, isAnswered: Bool) {
        guard let operation = clients.open.removeValue(forKey: ticket) else { return }
        if isAnswered, isAtPeace { clients.answeredInPeace += 1 }
        // Who was refused waits a little: an election takes its time.
        let pause = isAnswered ? 0 : choices.within(0...50_000_000)
        world.schedule(
            .client(operation.client), after: pause + choices.within(RaftClients.thinkTime))
    }

    /// A server tells what became of a proposal.
    mutating func answered(
        _ ticket: UInt64, _ outcome: RaftInstance.ProposalOutcome, on index: Int
    ) throws(Finding) {
        guard operation(ticket, on: index) != nil else { return }
        world.note("\(nodes[index].id) answers ticket \(ticket): \(outcome)")
        switch outcome {
        case .appended(_, let place) where has(.answerBeforeCommit):
            guard let operation = operation(ticket, on: index) else { return }
            try reads.wrote(place, floor: operation.floor)
            finish(ticket, isAnswered: true)
        case .appended(let term, let place):
            nodes[index].waitingWrites.append(
                RaftNode.WaitingWrite(ticket: ticket, term: term, index: place))
            try settleWrites(on: index)
        case .rejected:
            world.coverage.add(.rejections)
            try refuse(ticket)
            finish(ticket, isAnswered: false)
        case .unknown: finish(ticket, isAnswered: false)
        }
    }

    /// Answers the clients whose entries have been applied.
    mutating func settleWrites(on index: Int) throws(Finding) {
        let applied = nodes[index].registers.appliedIndex
        guard nodes[index].waitingWrites.contains(where: { $0.index <= applied }) else { return }
        let ripe = nodes[index].waitingWrites.filter { $0.index <= applied }
        nodes[index].waitingWrites.removeAll { $0.index <= applied }
        for write in ripe {
            guard let operation = operation(write.ticket, on: index) else { continue }
            guard ledger.committedMark(write.index)?.term == write.term || has(.answerIgnoresTerm)
            else {
                try refuse(write.ticket)
                finish(write.ticket, isAnswered: false)
                continue
            }
            guard clients.commands[write.index] == write.ticket else {
                throw Finding(
                    "an answered write is in the log",
                    "ticket \(write.ticket) was answered with entry \(write.index)")
            }
            try reads.wrote(write.index, floor: operation.floor)
            world.coverage.add(.writesAnswered)
            finish(write.ticket, isAnswered: true)
        }
    }

    /// Remembers that a server said of `ticket` that it will not take effect.
    private mutating func refuse(_ ticket: UInt64) throws(Finding) {
        clients.refused.insert(ticket)
    }

    /// Looks at an entry when the first server applies it.
    mutating func noteCommitted(_ entry: RaftInstance.Entry) {
        world.coverage.add(.commits)
        switch entry.payload {
        case .noOperation: break
        case .command(let bytes): clients.commands[entry.index] = word(bytes[1..<9])
        case .configuration(let configuration): noteMembers(configuration)
        }
    }

    /// A read may be answered.
    mutating func readReady(
        _ ticket: UInt64, _ place: UInt64, on index: Int
    ) throws(Finding) {
        guard let operation = operation(ticket, on: index) else { return }
        let applied = nodes[index].registers.appliedIndex
        world.note("\(nodes[index].id) answers read \(ticket) at \(applied)")
        guard applied >= place else {
            throw Finding(
                "a read waits for what it must see",
                "\(nodes[index].id) answers at \(applied) a read for \(place)")
        }
        let how = settings.readsByLease ? "lease read" : "ReadIndex read"
        try reads.read(applied, floor: operation.floor, how: how)
        world.coverage.add(settings.readsByLease ? .leaseReads : .readIndexReads)
        finish(ticket, isAnswered: true)
    }

    /// A read cannot be answered.
    mutating func readFailed(_ ticket: UInt64, on index: Int) {
        guard operation(ticket, on: index) != nil else { return }
        world.coverage.add(.readsRefused)
        finish(ticket, isAnswered: false)
    }
}
