import Glibc

/// The generator's clock: nanoseconds, monotonic, never set back.
@inline(__always)
func monotonicNanoseconds() -> Int64 {
    nanoseconds(of: CLOCK_MONOTONIC)
}

/// Processor time of the calling thread in nanoseconds.
func threadProcessorNanoseconds() -> Int64 {
    nanoseconds(of: CLOCK_THREAD_CPUTIME_ID)
}

@inline(__always)
private func nanoseconds(of clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
}
