// Scenarios that look at what they read: a thread per client, simple enough to be trusted.
import Synchronization

/// Runs one closure per client, each on a thread of its own, until time is up or a signal comes.
enum ScenarioThreads {
    /// Most clients of such a scenario: each is a thread.
    static let clientLimit = 1_000

    /// What clients ask between two operations.
    final class Control: Sendable {
        /// Whether to end now.
        let stops = Atomic<Bool>(false)
        /// Clients that have ended.
        let ended = Atomic<Int>(0)
    }

    /// Runs `clients` clients for `seconds`; true when a signal ended them early.
    ///
    /// `onLook` is called about once a second with the elapsed seconds.
    static func run(
        clients: Int, seconds: Double, onLook: (Double) -> Void,
        _ body: @escaping @Sendable (_ client: Int, _ control: Control) -> Void
    ) throws(LoadError) -> Bool {
        guard (1...clientLimit).contains(clients) else {
            throw .contradiction("--clients: 1 through \(clientLimit) in this scenario")
        }
        let signals = StopSignals()
        let control = Control()
        var threads: [WorkerThread] = []
        let start = monotonicNanoseconds()
        for client in 0..<clients {
            do throws(LoadError) {
                threads.append(
                    try WorkerThread.start("kiln-client") {
                        body(client, control)
                        control.ended.add(1, ordering: .releasing)
                    })
            } catch {
                control.stops.store(true, ordering: .relaxed)
                for thread in threads { thread.join() }
                throw error
            }
        }
        var wasInterrupted = false
        var nextLook = 1.0
        while control.ended.load(ordering: .acquiring) < clients {
            let elapsed = Double(monotonicNanoseconds() - start) / 1e9
            if elapsed >= seconds { control.stops.store(true, ordering: .relaxed) }
            if elapsed >= nextLook {
                onLook(elapsed)
                nextLook = elapsed.rounded(.down) + 1
            }
            if signals.wait(nanoseconds: 20_000_000) {
                wasInterrupted = true
                control.stops.store(true, ordering: .relaxed)
            }
        }
        for thread in threads { thread.join() }
        return wasInterrupted
    }
}
