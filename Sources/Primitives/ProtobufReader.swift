// Reads messages in Protobuf's wire format. It trusts nothing: each length is compared with what is
// there and with the caller's limit before a byte is copied.

/// Walks the fields of one Protobuf message.
///
/// ```swift
/// var reader = ProtobufReader(bytes)
/// while let field = try reader.nextField() {
///     switch field.number {
///     case 1: term = try reader.varint(field)
///     case 2: payload = try reader.bytes(field, limit: 1_024)
///     default: try reader.skip(field)
///     }
/// }
/// ```
/// The value of each field must be read or skipped before the next one is asked for. As in every
/// Protobuf reader the last of several values counts, fields come in any order, and unknown ones
/// are skipped. A nested message is a reader of its own on the same bytes; nothing is copied.
public struct ProtobufReader: Sendable {
    /// Groups inside groups that are followed; no schema of ours has any.
    static let groupDepthLimit = 8

    private let source: [UInt8]
    private let end: Int

    /// Where the next byte is read, from the first byte of the outermost message.
    public private(set) var offset: Int

    /// Begins to read `bytes` as one message.
    public init(_ bytes: [UInt8]) {
        source = bytes
        offset = 0
        end = bytes.count
    }

    private init(_ source: [UInt8], _ range: Range<Int>) {
        self.source = source
        offset = range.lowerBound
        end = range.upperBound
    }

    /// The next field's key, or nil at the end of the message.
    public mutating func nextField() throws(ProtobufError) -> ProtobufField? {
        guard offset < end else { return nil }
        let start = offset
        let key = try readVarint()
        let number = key &>> 3
        guard number >= 1, number <= UInt64(ProtobufField.highestNumber),
            let wireType = ProtobufWireType(rawValue: UInt8(truncatingIfNeeded: key & 7))
        else { throw .invalidKey(key, offset: start) }
        return ProtobufField(number: Int(number), wireType: wireType)
    }

    /// The value of a field of type `uint64`, `uint32`, `bool` or `enum`.
    public mutating func varint(_ field: ProtobufField) throws(ProtobufError) -> UInt64 {
        try expect(.varint, field)
        return try readVarint()
    }

    /// The value of a `bool`: any number but zero is true.
    public mutating func bool(_ field: ProtobufField) throws(ProtobufError) -> Bool {
        try varint(field) != 0
    }

    /// The value of an unsigned field as `Int`, at most `limit`.
    public mutating func int(
        _ field: ProtobufField, limit: Int = .max
    ) throws(ProtobufError) -> Int {
        let value = try varint(field)
        guard let number = Int(exactly: value), number <= limit else {
            throw .outOfRange(field: field.number, value: value, offset: offset)
        }
        return number
    }

    /// The value of a `sint64`.
    public mutating func zigZag(_ field: ProtobufField) throws(ProtobufError) -> Int64 {
        ZigZag.decode(try varint(field))
    }

    /// The value of a `fixed64`.
    public mutating func fixed64(_ field: ProtobufField) throws(ProtobufError) -> UInt64 {
        try expect(.fixed64, field)
        return try readFixed(8)
    }

    /// The value of a `fixed32`.
    public mutating func fixed32(_ field: ProtobufField) throws(ProtobufError) -> UInt32 {
        try expect(.fixed32, field)
        return UInt32(truncatingIfNeeded: try readFixed(4))
    }

    /// The value of a field of type `bytes`, at most `limit` of them.
    public mutating func bytes(
        _ field: ProtobufField, limit: Int
    ) throws(ProtobufError) -> [UInt8] {
        Array(source[try delimited(field, limit: limit)])
    }

    /// The value of a `string` of at most `limit` bytes.
    public mutating func string(
        _ field: ProtobufField, limit: Int
    ) throws(ProtobufError) -> String {
        let range = try delimited(field, limit: limit)
        guard let text = String(validating: source[range], as: UTF8.self) else {
            throw .invalidText(field: field.number, offset: offset)
        }
        return text
    }

    /// A reader of the message in this field, at most `limit` bytes long; this one goes on after
    /// it.
    public mutating func message(
        _ field: ProtobufField, limit: Int = .max
    ) throws(ProtobufError) -> ProtobufReader {
        ProtobufReader(source, try delimited(field, limit: limit))
    }

    /// Appends the elements in this field of a repeated number, packed or single, to `values`.
    ///
    /// - Throws: ``ProtobufError/beyondLimit(field:count:limit:offset:)`` once there would be more
    ///   than `limit`.
    public mutating func varints(
        _ field: ProtobufField, into values: inout [UInt64], limit: Int
    ) throws(ProtobufError) {
        guard field.wireType == .lengthDelimited else {
            let value = try varint(field)
            return try append(value, to: &values, field, limit: limit)
        }
        var list = try message(field)
        while list.offset < list.end {
            try append(try list.readVarint(), to: &values, field, limit: limit)
        }
    }

    /// As ``varints(_:into:limit:)``, of `fixed64` elements.
    public mutating func fixed64s(
        _ field: ProtobufField, into values: inout [UInt64], limit: Int
    ) throws(ProtobufError) {
        guard field.wireType == .lengthDelimited else {
            let value = try fixed64(field)
            return try append(value, to: &values, field, limit: limit)
        }
        var list = try message(field)
        while list.offset < list.end {
            try append(try list.readFixed(8), to: &values, field, limit: limit)
        }
    }

    /// Passes over the value of a field that this version does not know.
    public mutating func skip(_ field: ProtobufField) throws(ProtobufError) {
        try skip(field, depth: 0)
    }

    private mutating func skip(_ field: ProtobufField, depth: Int) throws(ProtobufError) {
        switch field.wireType {
        case .varint: _ = try readVarint()
        case .fixed64: _ = try readFixed(8)
        case .fixed32: _ = try readFixed(4)
        case .lengthDelimited: _ = try delimited(field, limit: .max)
        case .groupStart: try skipGroup(field, depth: depth + 1)
        case .groupEnd: throw .unbalancedGroup(field: field.number, offset: offset)
        }
    }

    private mutating func skipGroup(_ group: ProtobufField, depth: Int) throws(ProtobufError) {
        guard depth <= Self.groupDepthLimit else {
            throw .unbalancedGroup(field: group.number, offset: offset)
        }
        while let field = try nextField() {
            if field.wireType == .groupEnd, field.number == group.number { return }
            try skip(field, depth: depth)
        }
        throw .truncated(offset: offset)
    }

    private func expect(
        _ wireType: ProtobufWireType, _ field: ProtobufField
    ) throws(ProtobufError) {
        guard field.wireType == wireType else {
            throw .wrongWireType(field: field.number, found: field.wireType, offset: offset)
        }
    }

    private func append(
        _ value: UInt64, to values: inout [UInt64], _ field: ProtobufField, limit: Int
    ) throws(ProtobufError) {
        guard values.count < limit else {
            throw .beyondLimit(
                field: field.number, count: UInt64(values.count) + 1, limit: limit, offset: offset)
        }
        values.append(value)
    }

    /// The range of a length-delimited value, which is then passed over.
    private mutating func delimited(
        _ field: ProtobufField, limit: Int
    ) throws(ProtobufError) -> Range<Int> {
        try expect(.lengthDelimited, field)
        let length = try readVarint()
        guard length <= UInt64(limit) else {
            throw .beyondLimit(field: field.number, count: length, limit: limit, offset: offset)
        }
        guard length <= UInt64(end - offset) else { throw .truncated(offset: end) }
        let range = offset..<offset + Int(length)
        offset = range.upperBound
        return range
    }

    private mutating func readVarint() throws(ProtobufError) -> UInt64 {
        let start = offset
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while offset < end {
            let byte = source[offset]
            offset += 1
            // The tenth byte holds the last bit of 64.
            if shift == 63, byte > 1 { throw .varintTooLong(offset: start) }
            value |= UInt64(byte & 0x7F) &<< shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw .truncated(offset: end)
    }

    private mutating func readFixed(_ count: Int) throws(ProtobufError) -> UInt64 {
        guard end - offset >= count else { throw .truncated(offset: end) }
        var value: UInt64 = 0
        for index in 0..<count { value |= UInt64(source[offset + index]) &<< UInt64(8 * index) }
        offset += count
        return value
    }
}
