// What all nodes of a run share: true time, the network, the order of events, and the record.

import Primitives

/// The surroundings of a simulated cluster; `Action` is what its protocol schedules.
struct World<Action> {
    /// True time in nanoseconds since the run began; no node sees it.
    private(set) var now: Int64 = 0
    var network: VirtualNetwork
    var journal: Journal
    var digest = TraceDigest()
    var coverage = Coverage()
    /// Events taken so far: the tick that a failure names.
    private(set) var tick: UInt64 = 0
    private var queue = EventQueue<Action>()

    init(machines: Int, seed: UInt64, isTraced: Bool) {
        network = VirtualNetwork(
            count: machines, random: SeededGenerator(seed: seed, purpose: 1))
        journal = Journal(isOn: isTraced)
    }

    /// Schedules `action` for `delay` nanoseconds from now.
    mutating func schedule(_ action: Action, after delay: Int64) {
        queue.push(action, at: now + delay)
    }

    /// Takes the next action and moves time to it; nil when there is none.
    mutating func next() -> Action? {
        guard let (time, action) = queue.pop() else { return nil }
        precondition(time >= now, "true time ran backwards: \(now) -> \(time)")
        now = time
        tick += 1
        digest.mix(UInt64(bitPattern: time))
        return action
    }

    /// Sends a packet: schedules `arrival` once, twice or not at all.
    mutating func send(from sender: Int, to receiver: Int, arrival: Action) {
        coverage.add(.packetsSent)
        switch network.fate(from: sender, to: receiver, at: now) {
        case .cut: coverage.add(.packetsCut)
        case .dropped: coverage.add(.packetsLost)
        case .delivered(let delay): schedule(arrival, after: delay)
        case .doubled(let first, let second):
            coverage.add(.packetsDoubled)
            schedule(arrival, after: first)
            schedule(arrival, after: second)
        }
    }

    /// Adds a line to the journal, if it is kept.
    mutating func note(_ line: @autoclosure () -> String) {
        journal.note(line(), at: now)
    }
}
