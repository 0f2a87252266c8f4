// Where the loops' reports meet: loops put theirs down four times a second, a thread of its own
// merges them, and whoever asks for hot keys reads what it made of them. No lock here is on the way
// of a request.
internal import CLinux
internal import Glibc
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
    /// What the sketches of this process mix in.
    ///
    /// It has nothing to do with the index's secret, and
    /// neither with the one of names: what one of them gives away helps nobody against the others.
    private let sketchSecret = UInt64.random(in: 0 ... .max)
    private let nameSecret = (UInt64.random(in: 0 ... .max), UInt64.random(in: 0 ... .max))
    private let reports = Mutex<[(loop: Int, report: LoopReport)]>([])
    private let state: Mutex<State>
    private let questions = Mutex<[HotKeyRequest]>([])
    /// An eventfd that is readable while questions wait.
    let bell: Int32

    /// Reports that may wait to be merged, eight seconds of 64 loops; beyond it the oldest go.
    private static let reportLimit = 2048
    /// Questions that may wait; each is some milliseconds of the merging thread's time at the most.
    private static let questionLimit = 64

    init(_ configuration: NodeConfiguration) throws(NodeError) {
        bell = eventfd(0, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))
        guard bell >= 0 else { throw .system(call: "eventfd", code: errno) }
        mode = configuration.hotKeys
        redactsKeys = configuration.redactsKeys
        state = Mutex(State())
    }

    /// Whether anything is counted.
    var isOn: Bool { mode != .off }

    /// A detector for one loop; it takes no sample where nothing is counted.
    func makeDetector(at now: Instant) -> HotKeyDetector {
        var detector = HotKeyDetector(
            secret: sketchSecret, seed: .random(in: 0 ... .max), at: now)
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

    /// Leaves a question for the merging thread; false where too many wait.
    func ask(_ request: HotKeyRequest) -> Bool {
        let isTaken = questions.withLock { waiting in
            guard waiting.count < Self.questionLimit else { return false }
            waiting.append(request)
            return true
        }
        var one: UInt64 = 1
        if isTaken { _ = write(bell, &one, 8) }
        return isTaken
    }

    /// The question that has waited longest.
    func nextQuestion() -> HotKeyRequest? {
        questions.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    }

    /// What is known now; the copy shares its memory with the board.
    var current: State { state.withLock { $0 } }

    // MARK: Names

    /// A key as it is shown: printable ASCII as it is, every other byte and `%` as `%XX`; a keyed
    /// hash where names are secret.
    func name(_ key: [UInt8]) -> String {
        if redactsKeys { return pseudonym(key) }
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

    /// Stands for a key as long as the process lives: SipHash under a key that nobody knows, so
    /// that names can't be tried out, as they could with the public hash that places keys.
    private func pseudonym(_ key: [UInt8]) -> String {
        var hasher = Hasher()
        // Swift's own key is fixed where SWIFT_DETERMINISTIC_HASHING is set; this one never is.
        hasher.combine(nameSecret.0)
        hasher.combine(nameSecret.1)
        key.withUnsafeBytes { hasher.combine(bytes: $0) }
        let digits = String(UInt64(bitPattern: Int64(hasher.finalize())), radix: 16)
        return "#" + String(repeating: "0", count: 16 - digits.count) + digits
    }
}
