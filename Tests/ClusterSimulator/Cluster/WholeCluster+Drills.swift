// In the healthy cluster every key can be written and read through every node.

import Primitives

extension WholeCluster {
    /// A command in a drill is answered within this time.
    private static let drillPatience: Int64 = 1_000_000_000

    mutating func drill() throws(Finding) {
        isStopped = true
        // What is under way comes to its end.
        try run(until: world.now + 100_000_000)
        for number in clients.indices {
            clients[number].open.removeAll()
            clients[number].connection = nil
        }
        for key in keys.indices {
            let writer = key % nodes.count
            let written = try carryOut(.set, key, at: writer)
            guard case .done = written.reply else {
                throw Finding(
                    "a healed cluster serves",
                    "\(written.operation.brief) through m\(writer) is told \(written.reply)")
            }
            for reader in nodes.indices {
                let read = try carryOut(.gets, key, at: reader)
                guard case .hit(let value, _) = read.reply,
                    value == written.operation.after?.value
                else {
                    throw Finding(
                        "a healed cluster serves",
                        "\(read.operation.brief) through m\(reader) is told \(read.reply)")
                }
            }
        }
    }

    /// Has the first client do one thing through one node.
    private mutating func carryOut(
        _ kind: ClusterOperation.Kind, _ key: Int, at index: Int
    ) throws(Finding) -> (operation: ClusterOperation, reply: ClusterReply) {
        clients[0].connection?.isWanted = false
        clients[0].connection = nil
        let operation = make(kind, key, 0)
        guard let connection = connect(0, to: index) else {
            throw Finding("a healed cluster serves", "m\(index) is down")
        }
        clients[0].open = [operation]
        clients[0].lastReply = nil
        world.schedule(
            .requests(ClusterBatch(connection, [operation])),
            after: delays.within(ClusterClient.delay))
        let end = world.now + Self.drillPatience
        while clients[0].lastReply == nil, world.now < end {
            try run(until: world.now + 1_000_000)
        }
        guard let reply = clients[0].lastReply else {
            throw Finding(
                "a healed cluster serves", "\(operation.brief) through m\(index) has no answer")
        }
        return (operation, reply)
    }
}
