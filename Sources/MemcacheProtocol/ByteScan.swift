// Where words start and end, eight bytes at a time.

/// Searches over raw bytes; every offset is from `base`, every `limit` is the caller's proof that
/// it may read.
@usableFromInline
enum ByteScan {
    @usableFromInline static let space: UInt8 = 0x20
    @usableFromInline static let lineFeed: UInt8 = 0x0A
    @usableFromInline static let carriageReturn: UInt8 = 0x0D

    /// The byte at `offset`.
    @inlinable
    @inline(__always)
    static func byte(_ base: UnsafeRawPointer, _ offset: Int) -> UInt8 {
        base.load(fromByteOffset: offset, as: UInt8.self)
    }

    /// The first offset from `start` on that is no space; `limit` if there is none.
    @inlinable
    @inline(__always)
    static func skipSpaces(_ base: UnsafeRawPointer, from start: Int, limit: Int) -> Int {
        var offset = start
        while offset < limit && byte(base, offset) == space { offset &+= 1 }
        return offset
    }

    /// The first offset from `start` on whose byte is a space or a control byte; `limit` if there
    /// is none.
    ///
    /// Eight bytes are tested at once: a byte below 0x21 borrows into its top bit when 0x21 is
    /// subtracted. Borrows run upwards only, so the lowest bit found is exact.
    @inlinable
    @inline(__always)
    static func stop(_ base: UnsafeRawPointer, from start: Int, limit: Int) -> Int {
        var offset = start
        while limit &- offset >= 8 {
            let word = UInt64(
                littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            let low = (word &- 0x2121_2121_2121_2121) & ~word & 0x8080_8080_8080_8080
            if low != 0 { return offset &+ (low.trailingZeroBitCount &>> 3) }
            offset &+= 8
        }
        while offset < limit && byte(base, offset) > space { offset &+= 1 }
        return offset
    }

    /// The end of the word that `start` is in: the next space, or `limit`; other control bytes
    /// belong to words.
    @inlinable
    @inline(__always)
    static func wordEnd(_ base: UnsafeRawPointer, from start: Int, limit: Int) -> Int {
        var offset = stop(base, from: start, limit: limit)
        while offset < limit && byte(base, offset) != space {
            offset = stop(base, from: offset &+ 1, limit: limit)
        }
        return offset
    }
}
