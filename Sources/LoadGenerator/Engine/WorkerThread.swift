import CLinux
import Glibc

/// A thread that runs one closure and can be waited for.
struct WorkerThread {
    private let identifier: pthread_t

    private final class Job: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// Starts a thread; `name` has at most 15 bytes.
    static func start(
        _ name: String, _ body: @escaping @Sendable () -> Void
    ) throws(LoadError) -> WorkerThread {
        var thread = pthread_t()
        let job = Unmanaged.passRetained(Job(name, body))
        let failure = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let job = Unmanaged<Job>.fromOpaque(argument).takeRetainedValue()
                kiln_name_thread(job.name)
                job.body()
                return nil
            }, job.toOpaque())
        guard failure == 0 else {
            job.release()
            throw .system(call: "pthread_create", reason: systemText(failure))
        }
        return WorkerThread(identifier: thread)
    }

    /// Waits until the closure has returned.
    func join() {
        pthread_join(identifier, nil)
    }
}
