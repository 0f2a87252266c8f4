// The thread that turns the loops' reports into what a person, or the policy, can use.
internal import CLinux
internal import Glibc
internal import HotKeys
internal import Logging
internal import Primitives
internal import Synchronization

/// Merges reports shortly after the end of each sub-window.
enum HotKeyMerger {
    /// Loops end their sub-windows together; this much later their reports are there.
    private static let delayNanoseconds: Int64 = 10_000_000

    /// Starts the thread; nil where hot keys are off.
    static func start(_ shared: NodeShared) throws(NodeError) -> pthread_t? {
        guard shared.hotKeys.isOn else { return nil }
        var thread = pthread_t()
        let context = Unmanaged.passRetained(shared)
        let failure = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let shared = Unmanaged<NodeShared>.fromOpaque(argument).takeRetainedValue()
                kiln_name_thread("kiln-hot-keys")
                HotKeyMerger.run(shared)
                return nil
            }, context.toOpaque())
        guard failure == 0 else {
            context.release()
            throw .system(call: "pthread_create", code: failure)
        }
        return thread
    }

    private static func run(_ shared: NodeShared) {
        while !shared.isStopping.load(ordering: .relaxed) {
            let due = HotKeyDetector.end(ofSubWindowAt: shared.clock.now).nanoseconds
            sleep(until: due + delayNanoseconds, shared.clock)
            for decision in shared.hotKeys.merge(at: shared.clock.now) {
                let name = shared.hotKeys.name(decision.key, hash: decision.hash)
                let what = "\(decision.action.rawValue), copies \(decision.copies)"
                shared.logger.notice("hot key \(name): \(what) (\(decision.reason))")
            }
        }
    }

    private static func sleep(until moment: Int64, _ clock: NodeClock) {
        let left = moment - clock.now.nanoseconds
        guard left > 0 else { return }
        var time = timespec(tv_sec: 0, tv_nsec: Int(min(left, 999_999_999)))
        nanosleep(&time, nil)
    }
}
