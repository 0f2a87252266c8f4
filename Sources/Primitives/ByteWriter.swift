// Where replies are composed: raw bytes that grow, and are kept from turn to turn.

/// A growable run of bytes on memory of its own.
///
/// Appending costs no allocation while ``count`` stays within the capacity, which only ever grows;
/// a loop keeps one writer for its whole life and calls ``removeAll()`` between turns.
public struct ByteWriter: ~Copyable {
    @usableFromInline
    var base: UnsafeMutableRawPointer

    @usableFromInline
    var used = 0

    @usableFromInline
    var room: Int

    /// Bytes written so far.
    @inlinable
    public var count: Int { used }

    /// Bytes that fit before the next growth.
    @inlinable
    public var capacity: Int { room }

    /// Creates an empty writer with room for `capacity` bytes.
    public init(capacity: Int) {
        precondition(capacity > 0, "a writer needs room, got \(capacity) bytes")
        room = capacity
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
        room = larger
    }

    /// Appends one byte.
    @inlinable
    public mutating func append(_ byte: UInt8) {
        reserve(1)
        appendReserved(byte)
    }

    /// Appends `bytes`.
    @inlinable
    public mutating func append(_ bytes: RawSpan) {
        reserve(bytes.byteCount)
        appendReserved(bytes)
    }

    /// Appends bytes that the caller keeps valid during the call.
    public mutating func append(unsafe bytes: UnsafeRawBufferPointer) {
        append(bytes.bytes)
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
        appendReserved(decimal: number)
    }

    /// Writes `word`, lowest byte first, over four bytes that are there already.
    ///
    /// - Precondition: `offset` is at least four bytes before the end.
    public mutating func overwrite(_ word: UInt32, at offset: Int) {
        precondition(offset >= 0 && offset + 4 <= used, "\(offset) is outside \(used) bytes")
        base.storeBytes(of: word.littleEndian, toByteOffset: offset, as: UInt32.self)
    }

    /// Forgets all bytes and keeps the memory.
    public mutating func removeAll() {
        used = 0
    }

    /// Forgets every byte from `newCount` on: takes back what was appended since.
    ///
    /// - Precondition: `newCount` is not above ``count``.
    public mutating func truncate(to newCount: Int) {
        precondition(newCount >= 0 && newCount <= used, "cannot truncate \(used) to \(newCount)")
        used = newCount
    }
}

// One check for a whole reply instead of one for each of its parts: the caller makes room first.
extension ByteWriter {
    /// Appends one byte, for which ``reserve(_:)`` has made room.
    @inlinable
    public mutating func appendReserved(_ byte: UInt8) {
        assert(room &- used >= 1, "no room for a byte")
        base.storeBytes(of: byte, toByteOffset: used, as: UInt8.self)
        used &+= 1
    }

    /// Appends `bytes`, for which ``reserve(_:)`` has made room.
    @inlinable
    public mutating func appendReserved(_ bytes: RawSpan) {
        assert(room &- used >= bytes.byteCount, "no room for \(bytes.byteCount) bytes")
        bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            (base + used).copyMemory(from: start, byteCount: source.count)
        }
        used &+= bytes.byteCount
    }

    /// Appends the lowest `length` bytes of `word`, lowest first, in one store.
    ///
    /// It writes 8 bytes whatever `length` is: ``reserve(_:)`` must have made room for 8.
    @inlinable
    public mutating func appendReserved(word: UInt64, length: Int) {
        assert(room &- used >= 8 && length <= 8, "a word of \(length) bytes needs room for 8")
        (base + used).storeBytes(of: word.littleEndian, as: UInt64.self)
        used &+= length
    }

    /// Appends `number` in decimal; ``reserve(_:)`` must have made room for its digits, at most 20.
    ///
    /// Numbers below 10,000, nearly all in a cache's replies, are one store of their digits.
    @inlinable
    public mutating func appendReserved(decimal number: UInt64) {
        guard number < 10_000 else { return appendLarge(decimal: number) }
        assert(room &- used >= 8, "no room for a word")
        let value = UInt32(truncatingIfNeeded: number)
        let high = (value &* 5_243) &>> 19  // value / 100
        let low = value &- high &* 100
        let thousands = (high &* 103) &>> 10  // high / 10
        let tens = (low &* 103) &>> 10
        // Four digits, the first one lowest; leading zeros are shifted out.
        let digits =
            (thousands | (high &- thousands &* 10) &<< 8 | tens &<< 16 | (low &- tens &* 10) &<< 24)
            | 0x3030_3030
        let count = number < 10 ? 1 : number < 100 ? 2 : number < 1_000 ? 3 : 4
        let shifted = digits &>> UInt32(truncatingIfNeeded: (4 &- count) &* 8)
        (base + used).storeBytes(of: shifted.littleEndian, as: UInt32.self)
        used &+= count
    }

    @usableFromInline
    @inline(never)
    mutating func appendLarge(decimal number: UInt64) {
        var digits = 5
        var bound: UInt64 = 100_000
        while digits < 20 && number >= bound {
            digits &+= 1
            bound = bound &* 10
        }
        assert(room &- used >= digits, "no room for \(digits) digits")
        var rest = number
        var position = used &+ digits
        repeat {
            position &-= 1
            let quotient = rest / 10
            let digit = UInt8(truncatingIfNeeded: 48 &+ rest &- quotient &* 10)
            base.storeBytes(of: digit, toByteOffset: position, as: UInt8.self)
            rest = quotient
        } while position > used
        used &+= digits
    }
}
