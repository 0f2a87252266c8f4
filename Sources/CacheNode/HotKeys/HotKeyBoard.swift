// Where the loops' reports meet: loops put theirs down four times a second, a thread of its own
// merges them, and whoever asks for hot keys reads what it made of them. No lock here is on the way
// of a request.
internal import HotKeys
internal import Primitives
internal import Synchronization

/// What a node knows of its hot keys.
final class HotKeyBoard: Sendable {
    /// What the merging thread keeps, and others read.
    struct State: Sendable {
        var window = HotKeyWindow()
        var policy = PromotionPolicy()
        var history = HotKeyHistory()
        var decisions = DecisionLog()
        /// The last window.
        var latest = HotKeyWindow.Summary()
        var subWindows = 0
    }

    let mode: HotKeysMode
    let redactsKeys: Bool
    private let secret: UInt64
    private let reports = Mutex<[(loop: Int, report: LoopReport)]>([])
    private let state: Mutex<State>

    /// Reports that may wait to be merged, eight seconds of 64 loops; beyond it the oldest go.
    private static let reportLimit = 2048

    init(_ configuration: NodeConfiguration, secret: UInt64) {
        mode = configuration.hotKeys
        redactsKeys = configuration.redactsKeys
        self.secret = secret
        state = Mutex(State())
    }

    /// Whether anything is counted.
    var isOn: Bool { mode != .off }

    /// A detector for one loop; it takes no sample where nothing is counted.
    func makeDetector(at now: Instant) -> HotKeyDetector {
        var detector = HotKeyDetector(
            secret: secret &+ 0x9E37_79B9_7F4A_7C15, seed: .random(in: 0 ... .max), at: now)
        if !isOn { detector.switchOff() }
        return detector
    }

    /// Takes a loop's report.
    func put(_ report: LoopReport, loop: Int) {
        reports.withLock { waiting in
            if waiting.count >= Self.reportLimit { waiting.removeFirst() }
            waiting.append((loop, report))
        }
    }

    /// Merges what the loops have reported into a sub-window that ends at `now`; gives what the
    /// policy decided.
    func merge(at now: Instant) -> [PromotionPolicy.Decision] {
        let waiting = reports.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
        return state.withLock { state in
            for (loop, report) in waiting { state.window.add(report, loop: loop) }
            let (latest, window) = state.window.close(at: now)
            state.latest = window
            state.subWindows += 1
            if state.subWindows % HotKeyWindow.subWindows == 0 { state.history.append(window) }
            var decisions: [PromotionPolicy.Decision] = []
            state.policy.step(latest, decisions: &decisions)
            for decision in decisions { state.decisions.append(decision) }
            return decisions
        }
    }

    /// What is known now; the copy shares its memory with the board.
    var current: State { state.withLock { $0 } }

    // MARK: Names

    /// A key as it is shown: printable ASCII as it is, every other byte and `%` as `%XX`; a keyed
    /// hash where names are secret.
    func name(_ key: [UInt8], hash: UInt64) -> String {
        if redactsKeys {
            let digits = String(KeyHash(value: hash).mixed(with: secret &* 31 &+ 7), radix: 16)
            return "#" + String(repeating: "0", count: 16 - digits.count) + digits
        }
        var name = ""
        for byte in key {
            if byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "%") {
                name.unicodeScalars.append(UnicodeScalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                name += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return name
    }
}
