import Primitives
import SWIM
import Testing

typealias Address = SWIMInstance.Address

/// A few members on a network that one seed decides: enough for the rules, and quick.
struct TestCluster {
    struct Node {
        var instance: SWIMInstance
        var isCrashed = false
        var pausedUntil: Instant?
        var inbox: [Packet] = []
        /// The effects that are no messages, with their times.
        var events: [(at: Instant, effect: SWIMInstance.Effect)] = []
        /// The highest claim seen of each other member: it never falls.
        var claims: [NodeID: UInt64] = [:]
    }

    struct Packet {
        var deliverAt: Instant
        var order: Int
        var from: Address
        var to: Address
        var bytes: [UInt8]
        var isStream: Bool
    }

    let settings: SWIMInstance.Settings
    var now = Instant(nanoseconds: 0)
    var nodes: [Node] = []
    var lossPercent = 0
    /// Pairs of indices between which nothing passes, in this direction.
    var cuts: [(from: Int, to: Int)] = []
    var sentMessages = 0
    var sentBytes = 0

    private var random: SeededGenerator
    private var inFlight: [Packet] = []
    private var sentPackets = 0

    init(
        _ count: Int, seed: UInt64, settings: SWIMInstance.Settings = .init(),
        isJoined: Bool = true
    ) throws {
        self.settings = settings
        random = SeededGenerator(seed: seed)
        for index in 0..<count {
            nodes.append(Node(instance: try makeInstance(index)))
        }
        for index in 1..<count { input(.join([Self.address(0)]), to: index) }
        if isJoined { run(milliseconds: 3_000) }
        for index in nodes.indices { nodes[index].events = [] }
    }

    static func id(_ index: Int) -> NodeID { NodeID(UInt64(index + 1)) }

    static func address(_ index: Int) -> Address { Address("n\(index + 1):1") }

    mutating func makeInstance(
        _ index: Int, life: UInt64 = 1, incarnation: UInt64 = 1, at address: Address? = nil
    ) throws -> SWIMInstance {
        let address = address ?? Self.address(index)
        return try SWIMInstance(
            id: Self.id(index), life: life, incarnation: incarnation,
            metadata: .init(name: address.text, peer: address, zone: "z\(index % 3)"),
            settings: settings, cluster: 7, seed: random.next(), at: now)
    }

    /// Another process, with a name that may be taken; returns its index.
    mutating func add(_ instance: SWIMInstance) -> Int {
        nodes.append(Node(instance: instance))
        return nodes.count - 1
    }

    mutating func restart(_ index: Int, life: UInt64, incarnation: UInt64 = 1) throws {
        nodes[index] = Node(
            instance: try makeInstance(index, life: life, incarnation: incarnation))
    }

    mutating func crash(_ index: Int) { nodes[index].isCrashed = true }

    mutating func pause(_ index: Int, milliseconds: Int) {
        nodes[index].pausedUntil = now.advanced(by: .milliseconds(milliseconds))
    }

    mutating func partition(_ left: [Int], _ right: [Int]) {
        for a in left {
            for b in right { cuts += [(a, b), (b, a)] }
        }
    }

    mutating func run(milliseconds: Int) {
        for _ in 0..<milliseconds / 10 { tick() }
    }

    /// Runs until `condition` holds; nil if that takes longer than `limit`.
    mutating func run(
        atMost limit: Duration, until condition: (TestCluster) -> Bool
    ) -> Duration? {
        let start = now
        while start.duration(to: now) < limit {
            tick()
            if condition(self) { return start.duration(to: now) }
        }
        return nil
    }

    mutating func tick() {
        now = now.advanced(by: .milliseconds(10))
        let arrived = inFlight.filter { $0.deliverAt <= now }
        inFlight.removeAll { $0.deliverAt <= now }
        for packet in arrived.sorted(by: { $0.order < $1.order }) { deliver(packet) }
        for index in nodes.indices where !nodes[index].isCrashed {
            if let until = nodes[index].pausedUntil {
                guard now >= until else { continue }
                nodes[index].pausedUntil = nil
                // The worst order: the clock is looked at before what came meanwhile is read.
                input(.tick, to: index)
                let inbox = nodes[index].inbox
                nodes[index].inbox = []
                for packet in inbox { receive(packet, at: index) }
            }
            input(.tick, to: index)
            #expect(nodes[index].instance.nextDeadline > now, "a shell that waits would spin")
        }
    }

    private mutating func deliver(_ packet: Packet) {
        guard
            let index = nodes.indices.last(where: {
                nodes[$0].instance.myself.metadata.peer == packet.to && !nodes[$0].isCrashed
            })
        else { return }
        if nodes[index].pausedUntil != nil {
            nodes[index].inbox.append(packet)
        } else {
            receive(packet, at: index)
        }
    }

    private mutating func receive(_ packet: Packet, at index: Int) {
        do {
            let message = try SWIMInstance.Message(protobuf: packet.bytes)
            input(.received(message, from: packet.from), to: index)
        } catch {
            Issue.record("what was sent cannot be read: \(error)")
        }
    }

    mutating func input(_ input: SWIMInstance.Input, to index: Int) {
        var effects: [SWIMInstance.Effect] = []
        nodes[index].instance.step(input, at: now, effects: &effects)
        for effect in effects { carryOut(effect, of: index) }
        checkClaims(of: index)
    }

    private mutating func carryOut(_ effect: SWIMInstance.Effect, of index: Int) {
        switch effect {
        case .send(let message, let address):
            let bytes = message.protobuf
            #expect(bytes.count <= settings.datagramLimitBytes - settings.envelopeBytes)
            transmit(bytes, from: index, to: address, isStream: false)
        case .sendStream(let message, let address):
            transmit(message.protobuf, from: index, to: address, isStream: true)
        default: nodes[index].events.append((now, effect))
        }
    }

    private mutating func transmit(
        _ bytes: [UInt8], from index: Int, to address: Address, isStream: Bool
    ) {
        sentMessages += 1
        sentBytes += bytes.count
        if !isStream, Int.random(in: 0..<100, using: &random) < lossPercent { return }
        let isCut = cuts.contains { cut in
            cut.from == index && nodes[cut.to].instance.myself.metadata.peer == address
        }
        guard !isCut else { return }
        sentPackets += 1
        let delay = Int64.random(in: 100_000..<2_000_000, using: &random)
        inFlight.append(
            Packet(
                deliverAt: Instant(nanoseconds: now.nanoseconds + delay), order: sentPackets,
                from: nodes[index].instance.myself.metadata.peer, to: address, bytes: bytes,
                isStream: isStream))
    }

    /// Incarnations never fall in anybody's view, as long as the member is remembered.
    private mutating func checkClaims(of index: Int) {
        for member in nodes[index].instance.members {
            let claim = nodes[index].claims[member.id] ?? 0
            #expect(member.incarnation >= claim, "\(member.id) fell from \(claim)")
            nodes[index].claims[member.id] = member.incarnation
        }
    }
}

// Questions that tests ask.
extension TestCluster {
    /// What `observer` holds `subject` for.
    func status(_ subject: Int, seenBy observer: Int) -> SWIMInstance.Status? {
        nodes[observer].instance.member(Self.id(subject))?.status
    }

    var running: [Int] { nodes.indices.filter { !nodes[$0].isCrashed } }

    /// Whether all of `observers` hold all of `subjects` for `status`.
    func all(_ observers: [Int], hold subjects: [Int], for status: SWIMInstance.Status) -> Bool {
        observers.allSatisfy { observer in
            subjects.allSatisfy {
                $0 == observer || self.status($0, seenBy: observer) == status
            }
        }
    }

    /// Whether all that run hold all that run for alive, at the same claim.
    var agree: Bool {
        all(running, hold: running, for: .alive)
            && running.allSatisfy { observer in
                running.allSatisfy { subject in
                    let instance = nodes[subject].instance
                    return observer == subject
                        || nodes[observer].instance.member(instance.id)?.incarnation
                            == instance.myself.incarnation
                }
            }
    }

    /// Changes to `status` that `observers` saw of `subjects`, with their times.
    func changes(
        to status: SWIMInstance.Status, of subjects: [Int], seenBy observers: [Int]
    ) -> [(at: Instant, observer: Int, subject: NodeID)] {
        let ids = subjects.map(Self.id)
        return observers.flatMap { observer in
            nodes[observer].events.compactMap { event in
                guard case .memberChanged(let member) = event.effect, member.status == status,
                    ids.contains(member.id)
                else { return nil }
                return (event.at, observer, member.id)
            }
        }
    }
}
