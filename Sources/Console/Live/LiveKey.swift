/// A key pressed on the live screen.
enum LiveKey: Equatable, Sendable {
    case character(Character)
    case up
    case down
    case pageUp
    case pageDown
    case enter
    case escape
    case backspace
    case interrupt

    /// The keys in what a terminal has sent.
    ///
    /// An escape sequence that means nothing here is passed over; a lone ESC is the key itself.
    /// Sequences are those of ECMA-48 section 5.4 as xterm uses them.
    static func keys(in bytes: [UInt8]) -> [LiveKey] {
        var keys: [LiveKey] = []
        var rest = bytes[...]
        while let first = rest.first {
            if first == 0x1B, rest.count > 2, rest[rest.startIndex + 1] == UInt8(ascii: "[") {
                rest = rest.dropFirst(2)
                let parameters = rest.prefix { (0x20...0x3F).contains($0) }
                rest = rest.dropFirst(parameters.count)
                guard let final = rest.popFirst() else { break }
                if let key = sequence(parameters, final) { keys.append(key) }
                continue
            }
            rest = rest.dropFirst()
            switch first {
            case 0x1B: keys.append(.escape)
            case 0x03, 0x04: keys.append(.interrupt)
            case 0x0A, 0x0D: keys.append(.enter)
            case 0x08, 0x7F: keys.append(.backspace)
            case 0x20...0x7E: keys.append(.character(Character(UnicodeScalar(first))))
            default: continue
            }
        }
        return keys
    }

    private static func sequence(_ parameters: ArraySlice<UInt8>, _ final: UInt8) -> LiveKey? {
        switch final {
        case UInt8(ascii: "A"): .up
        case UInt8(ascii: "B"): .down
        case UInt8(ascii: "~") where Array(parameters) == Array("5".utf8): .pageUp
        case UInt8(ascii: "~") where Array(parameters) == Array("6".utf8): .pageDown
        default: nil
        }
    }
}
