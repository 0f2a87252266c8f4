// What the tests of this room share: parsing a whole array, and looking at the result as text.

import MemcacheProtocol

/// A command and the bytes it came from.
struct Parsed {
    var status: ParseStatus
    var command: Command
    let bytes: [UInt8]

    /// Parses the line at the start of `bytes`.
    init(_ bytes: [UInt8], limits: ProtocolLimits = ProtocolLimits()) {
        self.bytes = bytes
        command = Command(verb: .quit, lineCount: 0)
        status = RequestParser(limits: limits).parse(bytes.span.bytes, from: 0, into: &command)
    }

    /// Parses the line at the start of `text`.
    init(_ text: String, limits: ProtocolLimits = ProtocolLimits()) {
        self.init(Array(text.utf8), limits: limits)
    }

    /// The error; nil if there is none.
    var error: ProtocolError? {
        if case .failed(let error) = status { error } else { nil }
    }

    /// The bytes in `range`, as text.
    func text(_ range: Range<Int>) -> String {
        String(decoding: bytes[range], as: UTF8.self)
    }

    /// The key, as text.
    var key: String { text(command.key) }

    /// The keys of a retrieval command.
    var keys: [String] {
        var list = KeyList(command)
        var keys: [String] = []
        while let key = list.next(in: bytes.span.bytes) { keys.append(text(key)) }
        return keys
    }

    /// The words of a server command.
    var words: [String] {
        var list = WordList(command)
        var words: [String] = []
        while let word = list.next(in: bytes.span.bytes) { words.append(text(word)) }
        return words
    }

    /// The flags of a meta command, each with its argument.
    var flags: [String] {
        var list = MetaFlagList(command)
        var flags: [String] = []
        while let (letter, argument) = list.next(in: bytes.span.bytes) {
            flags.append(String(UnicodeScalar(letter)) + text(argument))
        }
        return flags
    }
}

/// `count` times `text`.
func times(_ count: Int, _ text: String) -> String {
    String(repeating: text, count: count)
}
