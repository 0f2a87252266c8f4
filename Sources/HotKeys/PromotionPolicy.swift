// Which keys deserve copies on other nodes, and since when. Two thresholds and two times keep it
// from changing its mind with every gust of traffic.

/// Decides from rates which keys are hot, as a pure value.
///
/// Called for each merged sub-window of 250 ms. A key is promoted when its heat and its rate are
/// above the thresholds in two of three sub-windows, or in one where it is urgent; it is demoted
/// when it was below 40 % of them for ten seconds and has been hot for its residency. A key that
/// comes back soon after its demotion stays twice as long each time.
public struct PromotionPolicy: Sendable {
    /// What a key is.
    public enum State: String, Equatable, Sendable {
        /// Above a threshold, not long enough yet.
        case warm
        /// Worth copies.
        case hot
        /// Hot, and written too often to be copied.
        case writeHot = "write-hot"
    }

    /// One decision.
    public struct Decision: Equatable, Sendable {
        /// What was decided.
        public enum Action: String, Equatable, Sendable {
            case promote
            case demote
            /// Copies are given up, or not made, because of writes.
            case holdBack = "hold-back"
        }

        /// When, in nanoseconds of the node's clock.
        public var at: Int64
        /// The key's hash.
        public var hash: UInt64
        /// Its bytes.
        public var key: [UInt8]
        /// What was decided.
        public var action: Action
        /// Nodes that should serve the key, the owner included.
        public var copies: Int
        /// The figures that decided, for a person.
        public var reason: String
    }

    /// What is known of a key.
    public struct Tracked: Equatable, Sendable {
        /// The key's hash.
        public var hash: UInt64
        /// Its bytes.
        public var key: [UInt8]
        /// What it is.
        public var state: State
        /// Since when, in nanoseconds of the node's clock.
        public var since: Int64
        /// Heat in the last sub-window.
        public var heat = 0.0
        /// Nodes that should serve it, the owner included.
        public var copies = 1
        /// Promotions that came soon after a demotion.
        public var flaps = 0
        /// Whether it was above the thresholds in the last three sub-windows, the newest in bit 0.
        var above: UInt8 = 0
        /// Since when it is below the lower thresholds; nil while it is not.
        var coolSince: Int64?
        /// When it was demoted last.
        var demotedAt: Int64?
        /// When it was last seen at all.
        var seenAt: Int64
        /// When it was promoted last.
        var promotedAt: Int64 = 0
    }

    /// The thresholds.
    public var settings: PromotionSettings
    /// Sorted by hash.
    private var tracked: [Tracked] = []

    /// A policy that knows no key.
    public init(_ settings: PromotionSettings = PromotionSettings()) {
        self.settings = settings
    }

    /// What is known of the key of `hash`; nil for one that is cold.
    public func state(of hash: UInt64) -> Tracked? {
        let position = position(of: hash)
        guard position < tracked.count, tracked[position].hash == hash else { return nil }
        return tracked[position]
    }

    /// Keys that are followed now.
    public var count: Int { tracked.count }

    /// Judges a merged sub-window; decisions are appended to `decisions`.
    public mutating func step(
        _ summary: HotKeyWindow.Summary, decisions: inout [Decision]
    ) {
        let now = summary.end
        var present = Set<UInt64>()
        for key in summary.keys where heat(of: key) >= settings.promoteHeat * settings.demoteShare {
            present.insert(key.hash)
            judge(key, now, &decisions)
        }
        for index in tracked.indices where !present.contains(tracked[index].hash) {
            tracked[index].heat = 0
            tracked[index].above = tracked[index].above << 1 & 0b111
            cool(index, now, &decisions)
        }
        forget(now)
    }

    /// The key's heat: the larger of its shares, times the nodes.
    public func heat(of key: HotKeyWindow.Key) -> Double {
        max(key.share, key.byteShare) * Double(settings.nodes)
    }

    /// Nodes that should serve a key of `heat`: one more for every quarter of a node, and one.
    public func copies(for heat: Double) -> Int {
        min(settings.nodes, 1 + Int((4 * heat).rounded(.up)))
    }

    // MARK: One key

    private mutating func judge(
        _ key: HotKeyWindow.Key, _ now: Int64, _ decisions: inout [Decision]
    ) {
        let heat = heat(of: key)
        let isAbove = heat >= settings.promoteHeat && hasRate(key, share: 1)
        guard let index = track(key, now, creating: isAbove) else { return }
        tracked[index].heat = heat
        tracked[index].seenAt = now
        tracked[index].above = (tracked[index].above << 1 | (isAbove ? 1 : 0)) & 0b111
        if tracked[index].state == .warm {
            let isUrgent = isAbove && heat >= settings.urgentHeat
            if isUrgent || tracked[index].above.nonzeroBitCount >= 2 {
                promote(index, key, now, &decisions)
            }
        } else if hasRate(key, share: settings.demoteShare) {
            tracked[index].coolSince = nil
            follow(index, key, now, &decisions)
        } else {
            cool(index, now, &decisions)
        }
    }

    private func hasRate(_ key: HotKeyWindow.Key, share: Double) -> Bool {
        key.rates.operations >= settings.promoteOperationsPerSecond * share
            || key.rates.bytes >= settings.promoteBytesPerSecond * share
    }

    private mutating func promote(
        _ index: Int, _ key: HotKeyWindow.Key, _ now: Int64, _ decisions: inout [Decision]
    ) {
        if let demoted = tracked[index].demotedAt {
            let flapped = now - demoted < settings.flapNanoseconds
            tracked[index].flaps = flapped ? tracked[index].flaps + 1 : 0
        }
        tracked[index].since = now
        tracked[index].promotedAt = now
        tracked[index].coolSince = nil
        let isWritten = key.rates.writeShare > settings.writeShareLimit
        tracked[index].state = isWritten ? .writeHot : .hot
        tracked[index].copies = isWritten ? 1 : copies(for: tracked[index].heat)
        decide(index, isWritten ? .holdBack : .promote, now, reason(key, index), &decisions)
    }

    /// A hot key that goes on: copies follow its heat upwards, writes take them away.
    private mutating func follow(
        _ index: Int, _ key: HotKeyWindow.Key, _ now: Int64, _ decisions: inout [Decision]
    ) {
        // Half the limit to come back: a share of writes at the limit must not flutter.
        let limit = settings.writeShareLimit * (tracked[index].state == .hot ? 1 : 0.5)
        let isWritten = key.rates.writeShare > limit
        if isWritten != (tracked[index].state == .writeHot) {
            tracked[index].state = isWritten ? .writeHot : .hot
            tracked[index].since = now
            tracked[index].copies = isWritten ? 1 : copies(for: tracked[index].heat)
            decide(index, isWritten ? .holdBack : .promote, now, reason(key, index), &decisions)
        } else if !isWritten && copies(for: tracked[index].heat) > tracked[index].copies {
            tracked[index].copies = copies(for: tracked[index].heat)
            decide(index, .promote, now, reason(key, index), &decisions)
        }
    }

    /// A key below the lower thresholds, or unseen.
    private mutating func cool(_ index: Int, _ now: Int64, _ decisions: inout [Decision]) {
        guard tracked[index].state != .warm else { return }
        let since = tracked[index].coolSince ?? now
        tracked[index].coolSince = since
        guard now - since >= settings.coolNanoseconds,
            now - tracked[index].promotedAt >= residency(tracked[index])
        else { return }
        tracked[index].state = .warm
        tracked[index].since = now
        tracked[index].above = 0
        tracked[index].copies = 1
        tracked[index].coolSince = nil
        tracked[index].demotedAt = now
        let text =
            "below \(percent(settings.demoteShare)) of the thresholds for"
            + " \((now - since) / 1_000_000_000) s"
        decide(index, .demote, now, text, &decisions)
    }

    private func residency(_ key: Tracked) -> Int64 {
        var residency = settings.residencyNanoseconds
        for _ in 0..<key.flaps where residency < settings.longestResidencyNanoseconds {
            residency *= 2
        }
        return min(residency, settings.longestResidencyNanoseconds)
    }

    private func decide(
        _ index: Int, _ action: Decision.Action, _ now: Int64, _ reason: String,
        _ decisions: inout [Decision]
    ) {
        decisions.append(
            Decision(
                at: now, hash: tracked[index].hash, key: tracked[index].key, action: action,
                copies: tracked[index].copies, reason: reason))
    }

    private func reason(_ key: HotKeyWindow.Key, _ index: Int) -> String {
        var text =
            "heat \(percent(tracked[index].heat)), \(Int(key.rates.operations)) ops/s,"
            + " \(Int(key.rates.bytes)) B/s, writes \(percent(key.rates.writeShare))"
        if tracked[index].flaps > 0 { text += ", flapped \(tracked[index].flaps) times" }
        return text
    }

    private func percent(_ share: Double) -> String {
        let tenths = Int((share * 1000).rounded())
        return "\(tenths / 10).\(tenths % 10) %"
    }

    // MARK: The list

    private func position(of hash: UInt64) -> Int {
        var (low, high) = (0, tracked.count)
        while low < high {
            let middle = (low + high) / 2
            if tracked[middle].hash < hash { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Where the key is followed; it is taken in where `creating` and there is room.
    private mutating func track(
        _ key: HotKeyWindow.Key, _ now: Int64, creating: Bool
    ) -> Int? {
        let position = position(of: key.hash)
        if position < tracked.count, tracked[position].hash == key.hash { return position }
        guard creating,
            tracked.count < settings.trackedKeys || makeRoom(for: heat(of: key))
        else { return nil }
        let place = self.position(of: key.hash)
        tracked.insert(
            Tracked(hash: key.hash, key: key.key, state: .warm, since: now, seenAt: now),
            at: place)
        return place
    }

    /// Gives up the key that is followed with the least reason: of those that are not hot and
    /// colder than `heat` the coldest, and of equally cold ones the one unseen for longest.
    ///
    /// Without it a hot set that changes all the time would fill the list with keys that are only
    /// remembered, and keep out one that is hot now.
    private mutating func makeRoom(for heat: Double) -> Bool {
        var least: Int?
        for index in tracked.indices
        where tracked[index].state == .warm && tracked[index].heat < heat {
            guard let found = least else {
                least = index
                continue
            }
            let (one, other) = (tracked[index], tracked[found])
            if (one.heat, one.seenAt) < (other.heat, other.seenAt) { least = index }
        }
        guard let least else { return false }
        tracked.remove(at: least)
        return true
    }

    /// Drops warm keys that have nothing to be remembered for.
    private mutating func forget(_ now: Int64) {
        tracked.removeAll { key in
            guard key.state == .warm && key.above == 0 else { return false }
            guard let demoted = key.demotedAt else { return true }
            return now - demoted >= settings.flapNanoseconds
        }
    }
}
