/// A JSON value to print.
///
/// Members keep the order they are given in, so that output is stable.
public indirect enum JSONText: Equatable, Sendable {
    case null
    case boolean(Bool)
    /// A number, already spelled as JSON spells it.
    case number(String)
    case string(String)
    case array([JSONText])
    case object([(String, JSONText)])

    /// An integer.
    public static func integer(_ value: some BinaryInteger) -> JSONText {
        .number(String(value))
    }

    /// A number with a fraction; null when it is not finite, which JSON cannot spell.
    public static func real(_ value: Double) -> JSONText {
        value.isFinite ? .number("\(value)") : .null
    }

    /// Whether both print the same.
    public static func == (left: JSONText, right: JSONText) -> Bool {
        left.description == right.description
    }
}

extension JSONText: CustomStringConvertible {
    /// The value as one line of JSON.
    public var description: String {
        switch self {
        case .null: "null"
        case .boolean(let value): value ? "true" : "false"
        case .number(let text): text
        case .string(let text): Self.quoted(text)
        case .array(let elements): "[\(elements.map(\.description).joined(separator: ","))]"
        case .object(let members):
            "{\(members.map { "\(Self.quoted($0)):\($1)" }.joined(separator: ","))}"
        }
    }

    /// `text` between quotes, control characters escaped (RFC 8259, section 7).
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value):
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
