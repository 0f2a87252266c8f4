/// Swift source, line by line, without comments and without the contents of string literals.
///
/// A rule about code must not trip over a sentence that mentions what it forbids. Knows `//`,
/// nested `/* */`, one-line and multi-line literals and raw ones. What stands in an interpolation
/// is dropped with its literal.
func codeOnly(_ text: String) -> [String] {
    var scanner = CodeScanner(bytes: Array(text.utf8))
    scanner.run()
    return String(decoding: scanner.code, as: UTF8.self)
        .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
}

private struct CodeScanner {
    let bytes: [UInt8]
    var position = 0
    var code: [UInt8] = []

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func run() {
        while position < bytes.count {
            if starts(with: "//") {
                while position < bytes.count, bytes[position] != UInt8(ascii: "\n") {
                    position += 1
                }
            } else if starts(with: "/*") {
                skipBlockComment()
            } else if let hashes = literalHashes() {
                skipLiteral(hashes: hashes)
            } else {
                code.append(bytes[position])
                position += 1
            }
        }
    }

    private func starts(with text: StaticString, at offset: Int = 0) -> Bool {
        text.withUTF8Buffer { bytes.dropFirst(position + offset).starts(with: $0) }
    }

    /// The number of `#` before a literal that starts here, or nil where none starts.
    private func literalHashes() -> Int? {
        var hashes = 0
        while starts(with: "#", at: hashes) { hashes += 1 }
        return starts(with: "\"", at: hashes) ? hashes : nil
    }

    /// Lines must keep their numbers, so line ends inside what is skipped stay.
    private mutating func skip(_ count: Int) {
        for byte in bytes[position..<min(position + count, bytes.count)]
        where byte == UInt8(ascii: "\n") { code.append(byte) }
        position += count
    }

    private mutating func skipBlockComment() {
        var depth = 0
        while position < bytes.count {
            if starts(with: "/*") {
                depth += 1
                skip(2)
            } else if starts(with: "*/") {
                depth -= 1
                skip(2)
                if depth == 0 { return }
            } else {
                skip(1)
            }
        }
    }

    private mutating func skipLiteral(hashes: Int) {
        skip(hashes)
        let isLong = starts(with: "\"\"\"")
        let quotes = isLong ? 3 : 1
        skip(quotes)
        code += Array("\"\"".utf8)
        while position < bytes.count {
            let closes = isLong ? starts(with: "\"\"\"") : starts(with: "\"")
            let hashesFollow = (0..<hashes).allSatisfy { starts(with: "#", at: quotes + $0) }
            if closes, hashesFollow {
                skip(quotes + hashes)
                return
            }
            if !isLong, bytes[position] == UInt8(ascii: "\n") { return }
            skip(hashes == 0 && bytes[position] == UInt8(ascii: "\\") ? 2 : 1)
        }
    }
}
