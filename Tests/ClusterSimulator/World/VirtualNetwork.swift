// Packets between machines: lost, doubled, late, out of order, or held back in a clogged link.

import Primitives

/// What becomes of one packet.
enum PacketFate: Equatable {
    case dropped
    case cut
    case delivered(after: Int64)
    case doubled(after: Int64, andAfter: Int64)
}

/// One direction between two machines.
struct Link {
    /// Nothing passes.
    var cuts = 0
    /// Lost packets of 1,000.
    var lossPermille = 0
    /// Packets of 1,000 that arrive twice.
    var duplicatePermille = 0
    /// Packets of 1,000 that take up to ``lateBy`` longer, so that later ones overtake them.
    var latePermille = 0
    /// How late a late packet is at most, in nanoseconds.
    var lateBy: Int64 = 0
    /// What is sent before this time arrives just after it, all at once (FoundationDB "clogs" so).
    var cloggedUntil: Int64 = 0
}

/// Every link between `count` machines.
struct VirtualNetwork {
    /// The way of a packet through an undisturbed local network: 100 to 600 us.
    static let usualDelay: ClosedRange<Int64> = 100_000...600_000

    let count: Int
    private var links: [Link]
    private var random: SeededGenerator

    init(count: Int, random: SeededGenerator) {
        self.count = count
        self.random = random
        links = Array(repeating: Link(), count: count * count)
    }

    /// The link from one machine to another.
    subscript(from sender: Int, to receiver: Int) -> Link {
        get { links[sender * count + receiver] }
        set { links[sender * count + receiver] = newValue }
    }

    /// Changes every link between two different machines.
    mutating func changeAll(_ change: (inout Link) -> Void) {
        for sender in 0..<count {
            for receiver in 0..<count where sender != receiver {
                change(&links[sender * count + receiver])
            }
        }
    }

    /// Draws what becomes of a packet sent now.
    mutating func fate(from sender: Int, to receiver: Int, at now: Int64) -> PacketFate {
        let link = links[sender * count + receiver]
        if link.cuts > 0 { return .cut }
        if random.chance(permille: link.lossPermille) { return .dropped }
        let first = delay(of: link, at: now)
        guard random.chance(permille: link.duplicatePermille) else {
            return .delivered(after: first)
        }
        return .doubled(after: first, andAfter: delay(of: link, at: now))
    }

    private mutating func delay(of link: Link, at now: Int64) -> Int64 {
        var delay = random.within(Self.usualDelay)
        if random.chance(permille: link.latePermille) { delay += random.within(0...link.lateBy) }
        if link.cloggedUntil > now {
            delay = max(delay, link.cloggedUntil - now + random.within(0...1_000_000))
        }
        return delay
    }
}
