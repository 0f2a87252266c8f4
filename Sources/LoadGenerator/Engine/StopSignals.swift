import CLinux
import Glibc

/// SIGINT and SIGTERM as something to wait for: held back while this value lives, so that a run
/// can print what it has.
struct StopSignals: ~Copyable {
    private var signals = sigset_t()
    private var before = sigset_t()

    /// Threads started later inherit that the signals are held back.
    init() {
        sigemptyset(&signals)
        sigaddset(&signals, SIGINT)
        sigaddset(&signals, SIGTERM)
        pthread_sigmask(SIG_BLOCK, &signals, &before)
    }

    deinit {
        var before = before
        pthread_sigmask(SIG_SETMASK, &before, nil)
    }

    /// Waits at most `nanoseconds`; true when one of the signals came.
    func wait(nanoseconds: Int64) -> Bool {
        var signals = signals
        var time = timespec(
            tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        return sigtimedwait(&signals, nil, &time) > 0
    }
}
