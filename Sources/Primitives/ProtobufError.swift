// What can be wrong with bytes that claim to be a Protobuf message.

/// Bytes are not the Protobuf message they should be.
///
/// Offsets count from the first byte of the outermost message.
public enum ProtobufError: Error, Equatable, Sendable {
    /// The message ends inside a field.
    case truncated(offset: Int)
    /// A varint has more than ten bytes or more than 64 bits.
    case varintTooLong(offset: Int)
    /// A key names field 0, a number above 2^29 - 1, or a wire type that does not exist.
    case invalidKey(UInt64, offset: Int)
    /// A field has another wire type than its number stands for.
    case wrongWireType(field: Int, found: ProtobufWireType, offset: Int)
    /// A field is longer, or a repeated field has more elements, than the reader allows.
    case beyondLimit(field: Int, count: UInt64, limit: Int, offset: Int)
    /// A number does not fit the type it is read into, or names no case of an enumeration.
    case outOfRange(field: Int, value: UInt64, offset: Int)
    /// A string is not UTF-8.
    case invalidText(field: Int, offset: Int)
    /// A message lacks a field without which it means nothing.
    case missingField(field: Int, offset: Int)
    /// Groups are nested deeper than a reader follows, or end without having begun.
    case unbalancedGroup(field: Int, offset: Int)
}

extension ProtobufError: CustomStringConvertible {
    /// What is wrong and where, for the log; the sender has to be mended.
    public var description: String {
        switch self {
        case .truncated(let offset):
            "the message ends inside a field, at byte \(offset)"
        case .varintTooLong(let offset):
            "the number at byte \(offset) has more than 64 bits"
        case .invalidKey(let key, let offset):
            "\(key) at byte \(offset) is no field key"
        case .wrongWireType(let field, let found, let offset):
            "field \(field) at byte \(offset) has wire type \(found.rawValue), not the one of its"
                + " type"
        case .beyondLimit(let field, let count, let limit, let offset):
            "field \(field) at byte \(offset) has \(count) bytes or elements; at most \(limit) are"
                + " allowed"
        case .outOfRange(let field, let value, let offset):
            "field \(field) before byte \(offset) is \(value), which its type does not allow"
        case .invalidText(let field, let offset):
            "field \(field) before byte \(offset) is not UTF-8"
        case .missingField(let field, let offset):
            "field \(field) is missing from the message that ends at byte \(offset)"
        case .unbalancedGroup(let field, let offset):
            "group \(field) at byte \(offset) is nested too deep or ends without a beginning"
        }
    }
}
