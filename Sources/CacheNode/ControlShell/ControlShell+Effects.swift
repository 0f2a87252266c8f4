// What the control plane asks for, done.
internal import ControlPlane
internal import Glibc
internal import Logging
internal import Placement
internal import Primitives
internal import SWIM
internal import Synchronization

extension ControlShell {
    func carryOut(_ effects: [ControlPlaneInstance.Effect]) {
        for effect in effects { carryOut(effect) }
    }

    private func carryOut(_ effect: ControlPlaneInstance.Effect) {
        switch effect {
        case .persist(let persistence): disk?.add(.persist(persistence))
        case .remember(let identity):
            cluster.clusterID.store(identity.cluster, ordering: .releasing)
            disk?.add(.remember(identity))
        case .sendDatagram(let message, let address): sendDatagram(message, to: address)
        case .sendStream(let message, let address): sendStream(message, to: address)
        case .install(let topology): install(topology)
        case .leaseChanged(let lease): cluster.setLease(lease)
        case .suspicionChanged(let id, let isSuspect):
            for box in shared.inboxes { box.post(.suspect(id, isSuspect)) }
        case .answered(let ticket, let answer): complete(ticket, answer)
        case .happened(let event): note(event)
        case .left: isEnding = true
        case .stop(let reason): stop(reason)
        }
    }

    private func stop(_ reason: StopReason) {
        switch reason {
        case .nameTaken(let address):
            let error = NodeError.nameTaken(name: cluster.member.name, address: address.text)
            shared.logger.critical("\(error)")
            exit(error.exitCode)
        case .unreadableEntry(let index):
            shared.logger.critical(
                """
                entry \(index) of the cluster's log is of a later release: run the release that the \
                other nodes run
                """)
            exit(78)
        }
    }

    private func note(_ event: Event) {
        let text = describe(event)
        events.add(text, atUnixSeconds: shared.clock.reading.unixSeconds)
        switch event {
        case .voteGivenUp, .removalsFrozen(true), .leaseHeld(false):
            shared.logger.warning("\(text)")
        default: shared.logger.notice("\(text)")
        }
    }

    /// What happened, as a line.
    private func describe(_ event: Event) -> String {
        switch event {
        case .founded(let cluster): "founded cluster \(hexadecimal(cluster))"
        case .clusterLearnt(let cluster): "joined cluster \(hexadecimal(cluster))"
        case .tableChanged(let epoch, let command): "epoch \(epoch): \(describe(command))"
        case .tableRestored(let epoch): "epoch \(epoch): the table came whole"
        case .leaderChanged(let leader, let term):
            leader.map { "\(name(of: $0)) leads in term \(term)" } ?? "no leader in term \(term)"
        case .votersChanged(let voters):
            "voters: \(voters.map { name(of: $0) }.joined(separator: ", "))"
        case .memberChanged(let name, let status): "\(name) is \(status)"
        case .removalsFrozen(let isFrozen):
            isFrozen
                ? "more than half of the members are in doubt: none is taken out"
                : "most members are there again"
        case .leaseHeld(let isHeld):
            isHeld
                ? "this node may serve what it owns"
                : "this node has no serve lease: it serves nothing it owns"
        case .voteGivenUp: "this node has given up its vote"
        }
    }

    private func describe(_ command: Command) -> String {
        switch command {
        case .join(let member): "\(member.name) joins, weight \(member.weight)"
        case .remove(let id, _, let departure): "\(name(of: id)) is out: \(departure)"
        case .flush: "flush_all"
        case .renew: "versions go on in a new epoch"
        case .split(let mark): "an arc is cut at \(mark)"
        }
    }

    /// A member's name, or its number where nobody knows it any more.
    func name(of id: NodeID) -> String {
        if id == instance.id { return cluster.member.name }
        if let known = instance.swim.member(id) { return known.metadata.name }
        if let topology = instance.topology, let index = topology.memberIndex(of: id) {
            return topology.members[index].name
        }
        return id.description
    }

    func hexadecimal(_ number: UInt64) -> String { String(number, radix: 16) }
}

/// What happened lately.
struct EventLog {
    /// Events remembered.
    static let limit = 256

    private(set) var events: [(unixSeconds: Int64, text: String)] = []

    mutating func add(_ text: String, atUnixSeconds seconds: Int64) {
        if events.count >= Self.limit { events.removeFirst() }
        events.append((seconds, text))
    }
}
