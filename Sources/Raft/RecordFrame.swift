// How a record stands in a file, so that a reader can tell a write that a crash cut short from
// damage to something that was safely on disk.

/// A record's frame: length, a checksum of the length, a checksum of the content; the content; a
/// closing byte.
///
/// All numbers are 4 bytes, lowest first. A file is written at its end only, one record at a time,
/// and synced before the next one. So a crash leaves the last record whole, cut, or with sectors of
/// zeros where blocks never reached the disk; it cannot change a byte or leave a good record behind
/// a bad one. Everything else is damage.
///
/// The closing byte is not zero, so that a last, partly filled sector of zeros was never written
/// and cannot be the end of a content that happens to be zeros. (A content that covers a whole
/// sector with zeros leaves the same doubt in its middle: no entry of the coordinator's does.)
public enum RecordFrame {
    /// Bytes before the content.
    public static let headBytes = 12

    /// Bytes behind the content.
    public static let footBytes = 1

    /// The closing byte: any but zero; half of its bits are set.
    private static let closingByte: UInt8 = 0xA5

    /// What crashes leave unwritten comes in sectors of this size.
    static let sectorBytes = 512

    /// What stands at an offset of a file.
    public enum Finding: Equatable, Sendable {
        /// A whole record: where its content is.
        case record(content: Range<Int>)
        /// The end of the file.
        case end
        /// The file's last write did not finish; nothing from here on was ever acknowledged.
        case torn
        /// What was written is not what is there.
        case damaged
    }

    /// A record with `content`.
    public static func encode(_ content: [UInt8]) -> [UInt8] {
        precondition(content.count <= Int(UInt32.max), "a record of \(content.count) bytes")
        var record: [UInt8] = []
        record.reserveCapacity(headBytes + content.count + footBytes)
        let length = bytes(of: UInt32(content.count))
        record += length
        record += bytes(of: CRC32C.checksum(length))
        record += bytes(of: CRC32C.checksum(content))
        record += content
        record.append(closingByte)
        return record
    }

    /// What stands at `offset` of a file with `bytes`.
    public static func read(_ bytes: [UInt8], at offset: Int) -> Finding {
        guard offset < bytes.count else { return .end }
        guard let content = content(in: bytes, at: offset) else {
            // A head that is not there, or not a head.
            guard bytes.count - offset >= headBytes else {
                return .torn
            }
            return leftByACrash(bytes, offset..<bytes.count) ? .torn : .damaged
        }
        let end = content.upperBound + footBytes
        guard end <= bytes.count else {
            // A cut record is the last; if a head follows, the length lies.
            return hasRecord(bytes, after: offset) ? .damaged : .torn
        }
        if isSound(bytes, content, at: offset) { return .record(content: content) }
        let isLast = end == bytes.count
        return isLast && leftByACrash(bytes, offset..<bytes.count) ? .torn : .damaged
    }

    /// Where the content would be, if a record's head is at `offset`.
    private static func content(in bytes: [UInt8], at offset: Int) -> Range<Int>? {
        guard bytes.count - offset >= headBytes else { return nil }
        let length = bytes[offset..<offset + 4]
        guard CRC32C.checksum(length) == number(bytes, at: offset + 4) else { return nil }
        let start = offset + headBytes
        return start..<start + Int(number(bytes, at: offset))
    }

    /// Whether what is in `range` can be a write that a crash cut short: a sector of it is all
    /// zeros, and no record follows.
    private static func leftByACrash(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
        var start = range.lowerBound
        while start < range.upperBound {
            let end = min((start / sectorBytes + 1) * sectorBytes, range.upperBound)
            if bytes[start..<end].allSatisfy({ $0 == 0 }) {
                return !hasRecord(bytes, after: range.lowerBound)
            }
            start = end
        }
        return false
    }

    /// Whether a whole, sound record begins anywhere behind `offset`.
    private static func hasRecord(_ bytes: [UInt8], after offset: Int) -> Bool {
        guard offset + 1 < bytes.count - headBytes else { return false }
        return (offset + 1..<bytes.count - headBytes).contains { start in
            guard let content = content(in: bytes, at: start), !content.isEmpty,
                content.upperBound + footBytes <= bytes.count
            else { return false }
            return isSound(bytes, content, at: start)
        }
    }

    private static func isSound(_ bytes: [UInt8], _ content: Range<Int>, at offset: Int) -> Bool {
        bytes[content.upperBound] == closingByte
            && CRC32C.checksum(bytes[content]) == number(bytes, at: offset + 8)
    }

    private static func bytes(of number: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> UInt32(8 * $0)) }
    }

    private static func number(_ bytes: [UInt8], at offset: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << UInt32(8 * $1) }
    }
}
