/// `text` with everything escaped that could move a terminal's cursor or change its state.
///
/// What a cache holds was written by strangers: an escape sequence in a key must not reach the
/// terminal of whoever looks at it.
public func printable(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        default:
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .lineSeparator, .paragraphSeparator:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
    }
    return result
}

/// The same for bytes: text where they are valid UTF-8, else each byte beyond ASCII as `\xNN`.
public func printable(_ bytes: [UInt8]) -> String {
    if let text = String(validating: bytes, as: UTF8.self) { return printable(text) }
    var result = ""
    for byte in bytes {
        if byte >= 0x80 {
            result += "\\x\(String(byte, radix: 16))"
        } else {
            result += printable(String(UnicodeScalar(byte)))
        }
    }
    return result
}
