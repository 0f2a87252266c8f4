// What clients do and see.

import Placement
import Primitives

extension WholeCluster {
    mutating func startClients() {
        for number in 0..<ClusterClient.count {
            clients.append(ClusterClient(versions: Array(repeating: 0, count: keys.count)))
            world.schedule(.client(number, sequence: 0), after: 1_000_000 * Int64(number + 1))
        }
    }

    /// A client begins its next batch, or has waited long enough.
    mutating func clientActs(_ number: Int, _ sequence: Int) throws(Finding) {
        guard clients[number].sequence == sequence, !isStopped else { return }
        guard clients[number].open.isEmpty else {
            world.coverage.add(.clientsGaveUp)
            return try hangUp(number)
        }
        guard let connection = connect(number) else { return next(number, after: 20_000_000) }
        let batch = makeBatch(number)
        clients[number].open = batch
        world.note(
            "client \(number) to m\(connection.machine).\(connection.loop): "
                + batch.map(\.brief).joined(separator: "; "))
        world.schedule(
            .requests(ClusterBatch(connection, batch)), after: delays.within(ClusterClient.delay))
        next(number, after: ClusterClient.patience)
    }

    /// Schedules what a client does next.
    private mutating func next(_ number: Int, after delay: Int64) {
        clients[number].sequence += 1
        world.schedule(.client(number, sequence: clients[number].sequence), after: delay)
    }

    /// A client's connection is at its end: what it waited for may have happened.
    private mutating func hangUp(_ number: Int) throws(Finding) {
        clients[number].connection?.isWanted = false
        clients[number].connection = nil
        for operation in clients[number].open { try ledger.answered(operation, .unknown) }
        clients[number].open.removeAll()
        next(number, after: choices.within(0...50_000_000))
    }

    /// The client's connection, a new one now and then; nil where no node listens.
    private mutating func connect(_ number: Int) -> ClusterConnection? {
        if let connection = clients[number].connection, connection.isOpen,
            clients[number].loyalty > 0
        {
            clients[number].loyalty -= 1
            return connection
        }
        clients[number].connection?.isWanted = false
        clients[number].connection = nil
        guard let index = choices.pick(nodes.indices.filter { nodes[$0].process != nil }) else {
            return nil
        }
        return connect(number, to: index)
    }

    mutating func connect(_ number: Int, to index: Int) -> ClusterConnection? {
        guard let process = nodes[index].process else { return nil }
        let loop = process.loops[choices.below(Self.loopsPerNode)]
        let connection = ClusterConnection(
            client: number, machine: index, life: process.life, loop: loop.number)
        loop.connections.append(connection)
        clients[number].connection = connection
        clients[number].loyalty = Int(choices.within(1...30))
        return connection
    }

    /// A node's end of a connection is gone.
    mutating func closed(_ connection: ClusterConnection) {
        connection.isOpen = false
        guard connection.isWanted else { return }
        send(ClusterReplies(connection, [], closes: true))
    }

    /// Sends replies to a client, behind those before.
    mutating func send(_ replies: ClusterReplies) {
        let connection = replies.connection
        connection.lastArrival = max(
            connection.lastArrival, world.now + delays.within(ClusterClient.delay))
        world.schedule(.replies(replies), after: connection.lastArrival - world.now)
    }

    /// Replies reach their client.
    mutating func deliver(_ replies: ClusterReplies) throws(Finding) {
        let number = replies.connection.client
        guard clients[number].connection === replies.connection else { return }
        for (operation, bytes) in replies.replies {
            guard clients[number].open.first === operation else {
                throw Finding(
                    "replies come in order", "client \(number) is answered \(operation.brief)")
            }
            clients[number].open.removeFirst()
            let reply = ClusterReply(bytes, to: operation)
            world.note("client \(number) is told \(reply) to #\(operation.number)")
            try ledger.answered(operation, reply)
            clients[number].lastReply = reply
            if case .hit(_, let version?) = reply {
                clients[number].versions[operation.key] = version
            }
        }
        if replies.closes { return try hangUp(number) }
        if clients[number].open.isEmpty, !isStopped {
            next(number, after: choices.within(ClusterClient.rest))
        }
    }

    // MARK: Commands

    /// Draws what a client sends next.
    private mutating func makeBatch(_ number: Int) -> [ClusterOperation] {
        let key = choices.below(keys.count)
        switch choices.below(100) {
        case 0..<8:
            // One connection sees what it wrote, though it was not told so.
            let read: ClusterOperation.Kind = choices.chance(permille: 500) ? .get : .gets
            return [make(.set, key, number, isQuiet: true), make(read, key, number, behind: true)]
        case 8..<13:
            return [
                make(.delete, key, number, isQuiet: true), make(.add, key, number, behind: true),
            ]
        case 13..<16:
            return [
                make(.set, key, number, isQuiet: true), make(.set, key, number, isQuiet: true),
                make(.metaGet, key, number, behind: true),
            ]
        default: return [make(kind(of: key, number), key, number)]
        }
    }

    private mutating func kind(of key: Int, _ number: Int) -> ClusterOperation.Kind {
        switch choices.below(100) {
        case 0..<20: .get
        case 20..<40: .gets
        case 40..<48: .metaGet
        case 48..<51: .vivify
        case 51..<68: .set
        case 68..<74: .add
        case 74..<82: .delete
        case 82..<88: isCounter(key) ? .increment : .metaSet
        default: clients[number].versions[key] > 0 ? .cas : .gets
        }
    }

    /// The last keys hold numbers.
    private func isCounter(_ key: Int) -> Bool { key >= keys.count - keys.count / 4 }

    /// Makes an operation; one `behind` a quiet one on its key must see what that did.
    mutating func make(
        _ kind: ClusterOperation.Kind, _ key: Int, _ number: Int, isQuiet: Bool = false,
        behind: Bool = false
    ) -> ClusterOperation {
        operations += 1
        world.coverage.add(.operations)
        var floor = ledger.floor(key)
        if behind { floor.began = max(floor.began, world.now) }
        return ClusterOperation(
            number: operations, kind: kind, key: key, isQuiet: isQuiet,
            text: text(kind, key, number, isQuiet: isQuiet), began: world.now, floor: floor)
    }

    private func text(
        _ kind: ClusterOperation.Kind, _ key: Int, _ number: Int, isQuiet: Bool
    ) -> String {
        let name = "key-\(key)"
        let value = isCounter(key) ? "\(operations)00000" : "v\(operations)"
        let size = value.utf8.count
        let ending = isQuiet ? " noreply\r\n" : "\r\n"
        switch kind {
        case .get: return "get \(name)\r\n"
        case .gets: return "gets \(name)\r\n"
        case .metaGet: return "mg \(name) v c\r\n"
        case .vivify: return "mg \(name) v c N30\r\n"
        case .set: return "set \(name) 0 0 \(size)\(ending)\(value)\r\n"
        case .add: return "add \(name) 0 0 \(size)\(ending)\(value)\r\n"
        case .cas:
            let version = clients[number].versions[key]
            return "cas \(name) 0 0 \(size) \(version)\(ending)\(value)\r\n"
        case .delete: return "delete \(name)\(ending)"
        case .increment: return "incr \(name) 1\(ending)"
        case .metaSet: return "ms \(name) \(size) c\r\n\(value)\r\n"
        }
    }
}
