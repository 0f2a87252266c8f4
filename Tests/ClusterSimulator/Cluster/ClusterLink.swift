// What goes between the loops of two nodes: links, requests on them, and their answers.

import Placement
import Primitives

/// A loop's link to one member, as long as the loop lives.
final class ClusterLink {
    enum State { case down, greeting, open }

    /// How long a request is waited for.
    static let patience: Int64 = 1_000_000_000
    /// How long a greeting is waited for, and the pause between two attempts.
    static let greetingPatience: Int64 = 300_000_000
    /// How much two clocks may drift apart, in thousandths: twice the bound of one.
    static let driftPerMille: Int64 = 20

    let member: NodeID
    /// The machine that the member's address leads to.
    let receiver: Int
    var state = State.down
    /// Which connection it is by now: what belongs to an earlier one is not heard any more.
    var connection: UInt64 = 0
    /// The process and the loop at the other end.
    var receiverLife: UInt64 = 0
    var receiverLoop = 0
    /// The receiver's clock less the loop's own, or less than that.
    var clockDistance: Int64 = 0
    /// When that was found out, on the loop's clock.
    var measuredAt = Instant(nanoseconds: 0)
    /// How often the clock had leapt then.
    var leaps = 0
    var pending: [ClusterForward] = []
    /// When the last thing that was sent arrives: what follows comes behind it.
    var lastArrival: Int64 = 0
    var lastReturn: Int64 = 0

    init(member: NodeID, receiver: Int) {
        self.member = member
        self.receiver = receiver
    }

    /// What the receiver's clock shows for sure when this loop's clock shows `instant`, as seen at
    /// `now`: the clocks may have drifted apart since they were compared.
    func receiverClock(at instant: Instant, now: Instant, ignoresAge: Bool) -> Instant {
        let age = max(0, now.nanoseconds - measuredAt.nanoseconds)
        let doubt = ignoresAge ? 0 : age / 1_000 * Self.driftPerMille
        return Instant(nanoseconds: instant.nanoseconds + clockDistance - doubt)
    }
}

/// A request that another member was asked to execute and has not answered.
final class ClusterForward {
    let identifier: UInt64
    let operation: ClusterOperation
    let connection: ClusterConnection
    let slot: ClusterConnection.Slot
    /// When it is given up, on the loop's clock.
    var deadline: Instant
    var isRetry = false

    init(
        identifier: UInt64, operation: ClusterOperation, connection: ClusterConnection,
        slot: ClusterConnection.Slot, deadline: Instant
    ) {
        self.identifier = identifier
        self.operation = operation
        self.connection = connection
        self.slot = slot
        self.deadline = deadline
    }
}

/// A request on its way to its owner.
final class ClusterFrame {
    let identifier: UInt64
    let operation: ClusterOperation
    let link: ClusterLink
    let connection: UInt64
    let sender: Int
    let senderLife: UInt64
    let senderLoop: Int
    let receiverLife: UInt64
    let receiverLoop: Int
    /// The sender's table.
    let epoch: UInt64
    /// When it is void, on the receiver's clock.
    let deadline: Instant
    /// When its sender gives it up, in true time.
    let givenUpAt: Int64
    /// Whether the sender's clock has leapt since the clocks were compared.
    let isMistimed: Bool

    init(
        _ forward: ClusterForward, _ link: ClusterLink, from node: ClusterNode, _ life: UInt64,
        loop: Int, epoch: UInt64, deadline: Instant, givenUpAt: Int64
    ) {
        identifier = forward.identifier
        operation = forward.operation
        self.link = link
        connection = link.connection
        sender = node.index
        senderLife = life
        senderLoop = loop
        receiverLife = link.receiverLife
        receiverLoop = link.receiverLoop
        self.epoch = epoch
        self.deadline = deadline
        self.givenUpAt = givenUpAt
        isMistimed = link.leaps != node.leaps
    }
}

/// An owner's answer.
final class ClusterFrameAnswer {
    let frame: ClusterFrame
    /// The reply; nil where the request was refused.
    let reply: [UInt8]?
    let refusal: ServeGate.Refusal?
    /// The owner's clock when it answered.
    let clock: Instant

    init(_ frame: ClusterFrame, reply: [UInt8], at clock: Instant) {
        self.frame = frame
        self.reply = reply
        refusal = nil
        self.clock = clock
    }

    init(_ frame: ClusterFrame, refusal: ServeGate.Refusal, at clock: Instant) {
        self.frame = frame
        reply = nil
        self.refusal = refusal
        self.clock = clock
    }
}

/// A client's connection to one loop.
final class ClusterConnection {
    /// The place of one reply.
    final class Slot {
        let operation: ClusterOperation
        var reply: [UInt8]?
        /// The connection ends here: its client wants no reply and has to learn of a failure.
        var closes = false

        init(_ operation: ClusterOperation) {
            self.operation = operation
        }
    }

    let client: Int
    let machine: Int
    let life: UInt64
    let loop: Int
    /// Replies that have not been sent, in the order of their commands.
    var slots: [Slot] = []
    /// Requests that other members have not answered.
    var outstanding = 0
    /// Whether it waits for them, as its loop uses another table since.
    var isHeld = false
    var waiting: [ClusterOperation] = []
    /// Whether the node's end is open.
    var isOpen = true
    /// Whether the client's end is.
    var isWanted = true
    /// When the last replies arrive.
    var lastArrival: Int64 = 0

    init(client: Int, machine: Int, life: UInt64, loop: Int) {
        self.client = client
        self.machine = machine
        self.life = life
        self.loop = loop
    }

    /// The place of the next command's reply.
    func expect(_ operation: ClusterOperation) -> Slot {
        let slot = Slot(operation)
        slots.append(slot)
        return slot
    }
}
