// Where replies are composed: raw bytes that grow, and are kept from turn to turn.

/// A growable run of bytes on memory of its own.
///
/// Appending costs no allocation while ``count`` stays within the capacity, which only ever grows; a loop
/// keeps one writer for its whole life and calls ``removeAll()`` between turns.
public struct ByteWriter: ~Copyable {
    @usableFromInline
    var base: UnsafeMutableRawPointer

    /// Bytes written so far.
    public private(set) var count = 0

    /// Bytes that fit before the next growth.
    public private(set) var capacity: Int

    /// Creates an empty writer with room for `capacity` bytes.
    public init(capacity: Int) {
        precondition(capacity > 0, "a writer needs room, got \(capacity) bytes")
        self.capacity = capacity
        base = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit {
        base.deallocate()
    }

    /// The bytes written so far; valid until the next append.
    public var unsafeBytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base, count: count)
    }

    /// Calls `body` with the bytes written so far.
    @inlinable
    public func withBytes<R>(_ body: (RawSpan) throws -> R) rethrows -> R {
        try body(unsafeBytes.bytes)
    }

    /// Makes room for `extra` more bytes; the only place that allocates.
    @inlinable
    public mutating func reserve(_ extra: Int) {
        if capacity &- count < extra { grow(by: extra) }
    }

    @usableFromInline
    @inline(never)
    mutating func grow(by extra: Int) {
        let larger = max(capacity * 2, count + extra)
        let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        moved.copyMemory(from: base, byteCount: count)
        base.deallocate()
        base = moved
        capacity = larger
    }

    /// Appends one byte.
    public mutating func append(_ byte: UInt8) {
        reserve(1)
        base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count &+= 1
    }

    /// Appends `bytes`.
    public mutating func append(_ bytes: RawSpan) {
        bytes.withUnsafeBytes { append(unsafe: $0) }
    }

    /// Appends bytes that the caller keeps valid during the call.
    public mutating func append(unsafe bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        reserve(bytes.count)
        (base + count).copyMemory(from: start, byteCount: bytes.count)
        count &+= bytes.count
    }

    /// Appends the UTF-8 of a literal.
    public mutating func append(_ text: StaticString) {
        append(unsafe: UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends the UTF-8 of `text`; for slow paths such as statistics.
    public mutating func append(text: String) {
        for byte in text.utf8 { append(byte) }
    }

    /// Appends `number` in decimal, at most 20 digits.
    public mutating func append(decimal number: UInt64) {
        reserve(20)
        var digits = 1
        var bound: UInt64 = 10
        while digits < 20 && number >= bound {
            digits &+= 1
            bound = bound &* 10
        }
        var rest = number
        var position = count &+ digits
        repeat {
            position &-= 1
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            base.storeBytes(
                of: UInt8(truncatingIfNeeded: 48 &+ digit), toByteOffset: position, as: UInt8.self)
            rest = quotient
        } while position > count
        count &+= digits
    }

    /// Forgets all bytes and keeps the memory.
    public mutating func removeAll() {
        count = 0
    }

    /// Forgets every byte from `newCount` on: takes back what was appended since.
    ///
    /// - Precondition: `newCount` is not above ``count``.
    public mutating func truncate(to newCount: Int) {
        precondition(newCount >= 0 && newCount <= count, "cannot truncate \(count) to \(newCount)")
        count = newCount
    }
}
