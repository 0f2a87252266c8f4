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
            let end = HotKeyDetector.end(ofSubWindowAt: shared.clock.now).nanoseconds
            answerQuestions(until: end + delayNanoseconds, shared)
            log(shared.hotKeys.merge(at: shared.clock.now), shared)
        }
    }

    /// Decisions logged per sub-window: a hot set that changes all the time must not flood the log.
    private static let logLimit = 16

    private static func log(_ decisions: [PromotionPolicy.Decision], _ shared: NodeShared) {
        for decision in decisions.prefix(logLimit) {
            let name = shared.hotKeys.name(decision.key)
            let what = "\(decision.action.rawValue), copies \(decision.copies)"
            shared.logger.notice("hot key \(name): \(what) (\(decision.reason))")
        }
        if decisions.count > logLimit {
            let left = decisions.count - logLimit
            shared.logger.notice("hot keys: \(left) more decisions at the same moment")
        }
    }

    /// Answers questions as they come, until it is time to merge.
    private static func answerQuestions(until due: Int64, _ shared: NodeShared) {
        while case let left = due - shared.clock.now.nanoseconds, left > 0 {
            if let request = shared.hotKeys.nextQuestion() {
                request.answer(from: shared.hotKeys, at: shared.clock.now)
                shared.inboxes[request.loop].ring()
            } else {
                wait(left, shared.hotKeys.bell)
            }
        }
    }

    /// Sleeps until the bell rings, `nanoseconds` at the most, rounded up to milliseconds.
    private static func wait(_ nanoseconds: Int64, _ bell: Int32) {
        var waiting = pollfd(fd: bell, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, Int32((nanoseconds + 999_999) / 1_000_000)) > 0 else { return }
        var count: UInt64 = 0
        _ = read(bell, &count, 8)
    }
}
