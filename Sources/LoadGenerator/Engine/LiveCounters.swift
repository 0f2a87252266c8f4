import CIntrinsics

/// What a thread shows of itself while it runs: written by it alone, read by the main thread.
///
/// Plain words with relaxed accesses: each is right by itself, together they may be a moment
/// apart.
struct LiveCounters: Sendable {
    /// The words, by their meaning.
    enum Field: Int, CaseIterable {
        case requests
        case keysRead
        case hits
        case errors
        case latencySum
        case loaded
    }

    private let address: UInt

    private init(address: UInt) {
        self.address = address
    }

    /// Counters for one thread, on cache lines of their own; they live until ``release()``.
    static func make() -> LiveCounters {
        let words = UnsafeMutableRawPointer.allocate(byteCount: 128, alignment: 128)
        words.initializeMemory(as: UInt64.self, repeating: 0, count: 16)
        return LiveCounters(address: UInt(bitPattern: words))
    }

    /// Gives the memory back; nothing may use them any more.
    func release() {
        UnsafeMutableRawPointer(bitPattern: address)?.deallocate()
    }

    /// Shows `value`.
    func show(_ field: Field, _ value: UInt64) {
        guard let words = UnsafeMutablePointer<UInt64>(bitPattern: address) else { return }
        kiln_store_relaxed(words + field.rawValue, value)
    }

    /// What was shown last.
    func value(_ field: Field) -> UInt64 {
        guard let words = UnsafePointer<UInt64>(bitPattern: address) else { return 0 }
        return kiln_load_relaxed(words + field.rawValue)
    }
}
