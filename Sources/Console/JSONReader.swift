// Reading JSON (RFC 8259) without Foundation, whose start-up cost every command would pay.

/// What is wrong with a JSON text.
struct JSONProblem: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) {
        self.description = description
    }
}

extension JSONText {
    /// Reads one JSON value; nothing but white space may follow it.
    init(parsing bytes: [UInt8]) throws(JSONProblem) {
        var reader = JSONReader(bytes: bytes)
        self = try reader.readDocument()
    }
}

/// Reads bytes to a ``JSONText``.
private struct JSONReader {
    let bytes: [UInt8]
    var position = 0

    /// How deep lists and objects may nest: a report nests seven deep.
    private static let depthLimit = 64

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func readDocument() throws(JSONProblem) -> JSONText {
        let value = try readValue(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw problem("something follows the end") }
        return value
    }

    private mutating func readValue(depth: Int) throws(JSONProblem) -> JSONText {
        guard depth < Self.depthLimit else { throw problem("nested too deep") }
        skipSpace()
        guard position < bytes.count else { throw problem("it ends too early") }
        switch bytes[position] {
        case UInt8(ascii: "{"): return try readObject(depth: depth)
        case UInt8(ascii: "["): return try readArray(depth: depth)
        case UInt8(ascii: "\""): return .string(try readString())
        case UInt8(ascii: "t"): return try readWord("true", .boolean(true))
        case UInt8(ascii: "f"): return try readWord("false", .boolean(false))
        case UInt8(ascii: "n"): return try readWord("null", .null)
        default: return try readNumber()
        }
    }

    private mutating func readObject(depth: Int) throws(JSONProblem) -> JSONText {
        position += 1
        var members: [(String, JSONText)] = []
        skipSpace()
        if take("}") { return .object(members) }
        while true {
            skipSpace()
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
                throw problem("a member has no name")
            }
            let name = try readString()
            skipSpace()
            guard take(":") else { throw problem("a colon is missing") }
            members.append((name, try readValue(depth: depth + 1)))
            skipSpace()
            if take("}") { return .object(members) }
            guard take(",") else { throw problem("a comma is missing") }
        }
    }

    private mutating func readArray(depth: Int) throws(JSONProblem) -> JSONText {
        position += 1
        var elements: [JSONText] = []
        skipSpace()
        if take("]") { return .array(elements) }
        while true {
            elements.append(try readValue(depth: depth + 1))
            skipSpace()
            if take("]") { return .array(elements) }
            guard take(",") else { throw problem("a comma is missing") }
        }
    }

    private mutating func readWord(
        _ word: String, _ value: JSONText
    ) throws(JSONProblem) -> JSONText {
        guard bytes[position...].starts(with: word.utf8) else { throw problem("no value") }
        position += word.utf8.count
        return value
    }

    /// RFC 8259, section 6; the number keeps its spelling.
    private mutating func readNumber() throws(JSONProblem) -> JSONText {
        let start = position
        _ = take("-")
        let whole = try readDigits()
        guard whole == 1 || bytes[position - whole] != UInt8(ascii: "0") else {
            throw problem("a number begins with 0")
        }
        if take(".") { _ = try readDigits() }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            _ = try readDigits()
        }
        return .number(String(decoding: bytes[start..<position], as: UTF8.self))
    }

    private mutating func readDigits() throws(JSONProblem) -> Int {
        let start = position
        while position < bytes.count, (0x30...0x39).contains(bytes[position]) { position += 1 }
        guard position > start else { throw problem("no value") }
        return position - start
    }

    /// RFC 8259, section 7.
    private mutating func readString() throws(JSONProblem) -> String {
        position += 1
        var text: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else {
                    throw problem("a string is not UTF-8")
                }
                return string
            case UInt8(ascii: "\\"): text += Array(String(try readEscape()).utf8)
            case ..<0x20: throw problem("a string holds a control character")
            default: text.append(byte)
            }
        }
        throw problem("a string does not end")
    }

    private mutating func readEscape() throws(JSONProblem) -> Character {
        guard position < bytes.count else { throw problem("a string does not end") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
            return Character(UnicodeScalar(byte))
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return Character(try readScalar())
        default: throw problem("a string holds an unknown escape")
        }
    }

    /// A scalar as one or, beyond the basic plane, two groups of four digits.
    private mutating func readScalar() throws(JSONProblem) -> UnicodeScalar {
        let first = try readHexadecimal()
        var value = first
        if (0xD800...0xDBFF).contains(first) {
            guard take("\\"), take("u") else { throw problem("half a character in a string") }
            let second = try readHexadecimal()
            guard (0xDC00...0xDFFF).contains(second) else {
                throw problem("half a character in a string")
            }
            value = 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
        }
        guard let scalar = UnicodeScalar(value) else {
            throw problem("half a character in a string")
        }
        return scalar
    }

    private mutating func readHexadecimal() throws(JSONProblem) -> UInt32 {
        guard position + 4 <= bytes.count else { throw problem("a string does not end") }
        let digits = bytes[position..<position + 4]
        let text = String(decoding: digits, as: UTF8.self)
        guard digits.first != UInt8(ascii: "+"), let value = UInt32(text, radix: 16) else {
            throw problem("\\u without four digits")
        }
        position += 4
        return value
    }

    private mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) {
            position += 1
        }
    }

    private mutating func take(_ character: UnicodeScalar) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else {
            return false
        }
        position += 1
        return true
    }

    private func problem(_ text: String) -> JSONProblem {
        JSONProblem("\(text), at byte \(position)")
    }
}
