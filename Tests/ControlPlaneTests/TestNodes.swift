// A cluster of control planes on a network that loses nothing and takes a millisecond.
import ControlPlane
import Placement
import Primitives
import Raft
import SWIM
import Testing

/// A member that listens on its own name.
func member(_ name: String, weight: Int = 1, life: UInt64 = 1) -> Member {
    Member(
        name: name, incarnation: life, weight: weight,
        client: NodeAddress(host: name, port: 11_211), peer: NodeAddress(host: name, port: 21_211))
}

/// One node and what its shell knows.
struct TestNode {
    var instance: ControlPlaneInstance
    var lease = ServeLease()
    var installed: Topology?
    var answers: [UInt64: Answer] = [:]
    var events: [Event] = []
    var stop: StopReason?
    var hasLeft = false
    /// Whether the loops take tables, and the disk writes.
    var installs = true
    var persists = true
    var waitingTopology: Topology?
    var waitingWrites = 0
}

/// Nodes, a clock and the messages between them.
struct TestNodes: CustomTestStringConvertible {
    /// Failures need not show all that all nodes know.
    var testDescription: String { "\(nodes.keys.sorted()) at \(now.nanoseconds / 1_000_000) ms" }

    private(set) var now = Instant(nanoseconds: 1_000_000_000)
    var nodes: [String: TestNode] = [:]
    /// Nodes that nothing reaches or leaves.
    var isolated: Set<String> = []
    /// Messages that are dropped.
    var drops: (Message) -> Bool = { _ in false }
    private var mail: [(due: Instant, to: String, from: String, Message)] = []
    private var seed: UInt64 = 1
    /// What the disks hold; a node that starts without one has none.
    private var disks: [String: RaftInstance.PersistedState] = [:]

    static let millisecond: Int64 = 1_000_000

    mutating func start(
        _ name: String, _ start: Start, weight: Int = 1, life: UInt64 = 1, hasDisk: Bool = true,
        cluster: UInt64 = 0
    ) throws {
        seed += 1
        let disk = hasDisk ? disks[name] ?? RaftInstance.PersistedState() : nil
        disks[name] = disk
        var effects: [ControlPlaneInstance.Effect] = []
        let instance = try ControlPlaneInstance(
            identity: Identity(name: name, cluster: cluster, life: life),
            member: member(name, weight: weight, life: life), start: start, disk: disk, seed: seed,
            at: now, effects: &effects)
        nodes[name] = TestNode(instance: instance)
        carryOut(effects, on: name)
    }

    /// Founds a cluster with the first name; the others join it.
    static func cluster(_ names: [String]) throws -> TestNodes {
        var cluster = TestNodes()
        try cluster.start(names[0], .found(RingSettings()))
        for name in names.dropFirst() {
            try cluster.start(name, .join([SWIMInstance.Address("\(names[0]):21211")]))
        }
        return cluster
    }

    mutating func run(milliseconds: Int) {
        for _ in 0..<milliseconds {
            now = now.advanced(by: .milliseconds(1))
            let due = mail.filter { $0.due <= now }
            mail.removeAll { $0.due <= now }
            for letter in due { deliver(letter) }
            guard now.nanoseconds / Self.millisecond % 10 == 0 else { continue }
            for name in nodes.keys.sorted() { step(.tick, on: name) }
        }
    }

    private mutating func deliver(_ letter: (due: Instant, to: String, from: String, Message)) {
        guard nodes[letter.to] != nil, !isolated.contains(letter.to),
            !isolated.contains(letter.from), !drops(letter.3)
        else { return }
        // As it comes from the wire.
        guard let message = try? Message(protobuf: letter.3.protobuf) else { return }
        step(.received(message, from: SWIMInstance.Address("\(letter.from):21211")), on: letter.to)
    }

    mutating func step(_ input: ControlPlaneInstance.Input, on name: String) {
        var effects: [ControlPlaneInstance.Effect] = []
        nodes[name]?.instance.step(input, at: now, effects: &effects)
        carryOut(effects, on: name)
    }

    private mutating func carryOut(_ effects: [ControlPlaneInstance.Effect], on name: String) {
        for effect in effects {
            switch effect {
            case .persist(let persistence):
                disks[name]?.apply(persistence)
                if nodes[name]?.persists == true {
                    step(.persisted, on: name)
                } else {
                    nodes[name]?.waitingWrites += 1
                }
            case .remember: break
            case .sendDatagram(let message, let address), .sendStream(let message, let address):
                let host = String(address.text.prefix { $0 != ":" })
                mail.append((now.advanced(by: .milliseconds(1)), host, name, message))
            case .install(let topology):
                guard nodes[name]?.installs == true else {
                    nodes[name]?.waitingTopology = topology
                    continue
                }
                nodes[name]?.installed = topology
                step(.installed(epoch: topology.epoch), on: name)
            case .leaseChanged(let lease): nodes[name]?.lease = lease
            case .suspicionChanged: break
            case .answered(let ticket, let answer): nodes[name]?.answers[ticket] = answer
            case .happened(let event): nodes[name]?.events.append(event)
            case .left: nodes[name]?.hasLeft = true
            case .stop(let reason): nodes[name]?.stop = reason
            }
        }
    }

    // MARK: Looking

    subscript(name: String) -> TestNode {
        guard let node = nodes[name] else { preconditionFailure("no node \(name)") }
        return node
    }

    /// Whether a node may serve an arc that it owns since `epoch`.
    func mayServe(_ name: String, since epoch: UInt64) -> Bool {
        self[name].lease.covers(arcEpoch: epoch, at: now)
    }

    /// The names of the members, as a node knows the table.
    func members(_ name: String) -> [String] {
        self[name].instance.topology?.members.map(\.name) ?? []
    }

    /// Who leads, as all that can be reached agree.
    var leader: String? {
        nodes.keys.sorted().first { !isolated.contains($0) && self[$0].instance.isLeader }
    }
}
