// Writes messages in Protobuf's wire format (protobuf.dev/programming-guides/encoding).
// A message is a row of fields; each is a key (number and wire type) and a value. Rooms write their
// messages by hand with it: the schema in proto/ says which number stands for which field.

/// Composes one Protobuf message.
///
/// The plain methods leave out a value that is zero or empty, as proto3 does for fields without
/// presence: a reader takes what is missing as zero. `present` methods always write: for elements
/// of repeated fields and members of a `oneof`.
public struct ProtobufWriter: Sendable {
    /// The message as far as it is written.
    public private(set) var bytes: [UInt8] = []

    /// Begins an empty message with room for `capacity` bytes.
    public init(capacity: Int = 0) {
        bytes.reserveCapacity(capacity)
    }

    /// Writes an unsigned number (`uint64`, `uint32`, `enum`) unless it is zero.
    public mutating func varint(_ value: UInt64, field: Int) {
        if value != 0 { presentVarint(value, field: field) }
    }

    /// Writes an unsigned number, also zero.
    public mutating func presentVarint(_ value: UInt64, field: Int) {
        key(field, .varint)
        append(varint: value)
    }

    /// Writes a `bool` unless it is false.
    public mutating func bool(_ value: Bool, field: Int) {
        varint(value ? 1 : 0, field: field)
    }

    /// Writes a signed number as `sint64` unless it is zero.
    public mutating func zigZag(_ value: Int64, field: Int) {
        varint(ZigZag.encode(value), field: field)
    }

    /// Writes a `fixed64` unless it is zero: for numbers that use all their bits, such as hashes.
    public mutating func fixed64(_ value: UInt64, field: Int) {
        if value != 0 { presentFixed64(value, field: field) }
    }

    /// Writes a `fixed64`, also zero.
    public mutating func presentFixed64(_ value: UInt64, field: Int) {
        key(field, .fixed64)
        append(fixed64: value)
    }

    /// Writes a `fixed32` unless it is zero.
    public mutating func fixed32(_ value: UInt32, field: Int) {
        guard value != 0 else { return }
        key(field, .fixed32)
        for shift in stride(from: UInt32(0), to: 32, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value &>> shift))
        }
    }

    /// Writes `bytes` unless there are none.
    public mutating func bytes(_ value: some Collection<UInt8>, field: Int) {
        if !value.isEmpty { presentBytes(value, field: field) }
    }

    /// Writes `bytes`, also an empty run.
    public mutating func presentBytes(_ value: some Collection<UInt8>, field: Int) {
        key(field, .lengthDelimited)
        append(varint: UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    /// Writes a `string` unless it is empty.
    public mutating func string(_ value: String, field: Int) {
        bytes(Array(value.utf8), field: field)
    }

    /// Writes a repeated field of unsigned numbers, packed, unless there are none.
    public mutating func packedVarints(_ values: some Collection<UInt64>, field: Int) {
        guard !values.isEmpty else { return }
        message(field: field) { list in
            for value in values { list.append(varint: value) }
        }
    }

    /// Writes a repeated field of `fixed64` numbers, packed, unless there are none.
    public mutating func packedFixed64(_ values: some Collection<UInt64>, field: Int) {
        guard !values.isEmpty else { return }
        message(field: field) { list in
            for value in values { list.append(fixed64: value) }
        }
    }

    /// Writes a message as a field of this one; `body` writes its fields, and it may have none.
    ///
    /// The body is written in place and its length put before it, so nesting copies each byte once
    /// per level.
    public mutating func message(field: Int, _ body: (inout ProtobufWriter) -> Void) {
        key(field, .lengthDelimited)
        let start = bytes.count
        body(&self)
        var length = ProtobufWriter()
        length.append(varint: UInt64(bytes.count - start))
        bytes.insert(contentsOf: length.bytes, at: start)
    }

    private mutating func key(_ number: Int, _ wireType: ProtobufWireType) {
        precondition(
            number >= 1 && number <= ProtobufField.highestNumber, "no field has number \(number)")
        append(varint: UInt64(number) &<< 3 | UInt64(wireType.rawValue))
    }

    private mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest &>>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    private mutating func append(fixed64 value: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value &>> shift))
        }
    }
}
