// What stands before each field's value: its number and how the value is laid out.

/// How a field's value is laid out: the lowest three bits of its key.
public enum ProtobufWireType: UInt8, Equatable, Sendable {
    /// A number of seven bits a byte, lowest first.
    case varint = 0
    /// Eight bytes, lowest first.
    case fixed64 = 1
    /// A varint with the count of bytes that follow: bytes, text, a message or a packed list.
    case lengthDelimited = 2
    /// The begin of a group, which Protobuf gave up; a reader skips it.
    case groupStart = 3
    /// The end of a group.
    case groupEnd = 4
    /// Four bytes, lowest first.
    case fixed32 = 5
}

/// A field's key: which field follows, and how its value is laid out.
public struct ProtobufField: Equatable, Sendable {
    /// Field numbers are from 1 through this.
    public static let highestNumber = (1 << 29) - 1

    /// The number that the schema gives to the field.
    public var number: Int
    /// How the value is laid out.
    public var wireType: ProtobufWireType

    /// Pairs a number with a wire type.
    public init(number: Int, wireType: ProtobufWireType) {
        self.number = number
        self.wireType = wireType
    }
}

/// Zig-zag: signed numbers as varints that stay short near zero (0, -1, 1, -2 become 0, 1, 2, 3).
public enum ZigZag {
    /// The varint that stands for `value` in a field of type `sint64`.
    public static func encode(_ value: Int64) -> UInt64 {
        UInt64(bitPattern: (value &<< 1) ^ (value &>> 63))
    }

    /// The number that a field of type `sint64` stands for.
    public static func decode(_ value: UInt64) -> Int64 {
        Int64(bitPattern: value &>> 1) ^ -Int64(bitPattern: value & 1)
    }
}
