// A lock that the thread sanitizer understands, in its builds only (`make tsan`).
#if KILN_THREAD_SANITIZER
    internal import CLinux
    internal import Glibc

    /// Stands in for the `Mutex` of Synchronization.
    ///
    /// The sanitizer does not see that one's futex, and takes everything under such a lock for a
    /// race. A pthread mutex it knows.
    ///
    /// `@unchecked Sendable`: the value is only reached under the lock.
    struct Mutex<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
        private let lock: UnsafeMutablePointer<pthread_mutex_t>
        private let value: UnsafeMutablePointer<Value>

        init(_ value: consuming sending Value) {
            lock = .allocate(capacity: 1)
            pthread_mutex_init(lock, nil)
            self.value = .allocate(capacity: 1)
            self.value.initialize(to: value)
        }

        deinit {
            value.deinitialize(count: 1)
            value.deallocate()
            pthread_mutex_destroy(lock)
            lock.deallocate()
        }

        func withLock<Result: ~Copyable, Failure: Error>(
            _ body: (inout sending Value) throws(Failure) -> sending Result
        ) throws(Failure) -> sending Result {
            pthread_mutex_lock(lock)
            defer { pthread_mutex_unlock(lock) }
            return try body(&value.pointee)
        }
    }
#endif
