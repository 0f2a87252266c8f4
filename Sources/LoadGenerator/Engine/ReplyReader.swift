// Replies as a client needs them: where one ends, and whether it was a hit.
import CIntrinsics

/// What a command's reply looks like.
enum ReplyForm: UInt8 {
    /// `VALUE` blocks and `END`.
    case text
    /// One `VA`, `HD` or `EN`.
    case meta
    /// Any number of `VA` and, at last, `MN`: quiet gets closed by a no-op.
    case metaBatch
    /// `STORED`, or `HD`.
    case stored
}

/// Finds the ends of replies in a stream that arrives in any pieces, skipping values unread.
struct ReplyReader {
    /// What became of one command.
    enum Outcome: Equatable {
        /// It was answered; so many of its keys were found. Writes count no hits.
        case answered(hits: Int)
        /// The server sent an error line, given here without its line end.
        case failed(String)
        /// The server sent what has no place here.
        case garbage(String)
    }

    /// Longest reply line that is accepted; a `VALUE` line stays below 300 bytes.
    static let lineLimit = 2_048

    private var hits = 0
    /// Bytes of a value, and its line end, still to be skipped.
    private var skipped = 0
    /// Whether the command is answered when the value has been skipped.
    private var endsAfterValue = false
    /// The beginning of a line whose end has not come yet.
    private var fragment: [UInt8] = []

    /// Reads on to the end of one reply.
    ///
    /// - Parameters:
    ///   - bytes: What was received.
    ///   - position: Where to read on; moved behind what was read.
    ///   - form: What the reply answers.
    /// - Returns: What the reply says; nil when the bytes run out first.
    @inline(__always)
    mutating func next(
        in bytes: UnsafeRawBufferPointer, at position: inout Int, form: ReplyForm
    ) -> Outcome? {
        guard let base = bytes.baseAddress else { return nil }
        while position < bytes.count {
            if skipped > 0 {
                let step = min(skipped, bytes.count - position)
                skipped -= step
                position += step
                if skipped > 0 { return nil }
                if endsAfterValue { return finish() }
                continue
            }
            let rest = bytes.count - position
            guard let end = kiln_find_byte(base + position, 10, UInt(rest)) else {
                return keep(bytes[position...], &position)
            }
            let count = end - UnsafeRawPointer(base + position) + 1
            let start = position
            position += count
            let outcome: Outcome?
            if fragment.isEmpty {
                outcome = line(UnsafeRawBufferPointer(start: base + start, count: count), form)
            } else {
                outcome = joined(UnsafeRawBufferPointer(start: base + start, count: count), form)
            }
            if let outcome { return outcome }
        }
        return nil
    }

    /// Forgets everything: for a new connection.
    mutating func reset() {
        self = ReplyReader()
    }

    private mutating func finish() -> Outcome {
        let found = hits
        hits = 0
        endsAfterValue = false
        return .answered(hits: found)
    }

    @inline(never)
    private mutating func keep(
        _ rest: Slice<UnsafeRawBufferPointer>, _ position: inout Int
    ) -> Outcome? {
        position += rest.count
        fragment += rest
        return fragment.count > Self.lineLimit ? .garbage(Self.text(fragment)) : nil
    }

    @inline(never)
    private mutating func joined(_ end: UnsafeRawBufferPointer, _ form: ReplyForm) -> Outcome? {
        fragment += end
        let whole = fragment
        fragment = []
        guard whole.count <= Self.lineLimit else { return .garbage(Self.text(whole)) }
        return whole.withUnsafeBytes { line($0, form) }
    }

    /// One line, its line end included; nil when the reply goes on behind it.
    @inline(__always)
    private mutating func line(_ line: UnsafeRawBufferPointer, _ form: ReplyForm) -> Outcome? {
        guard line.count >= 4 else { return .garbage(Self.text(line)) }
        let word = UInt32(littleEndian: line.loadUnaligned(as: UInt32.self))
        switch form {
        case .text:
            if word == Word.value { return begin(line, size: Self.lastNumber(line), ends: false) }
            if word & 0xFF_FFFF == Word.end { return finish() }
        case .meta:
            if word & 0xFF_FFFF == Word.metaValue {
                return begin(line, size: Self.secondNumber(line), ends: true)
            }
            if word & 0xFFFF == Word.found {
                hits = 1
                return finish()
            }
            if word == Word.metaMiss { return finish() }
        case .metaBatch:
            if word & 0xFF_FFFF == Word.metaValue {
                return begin(line, size: Self.secondNumber(line), ends: false)
            }
            if word & 0xFFFF == Word.noOp { return finish() }
        case .stored:
            if word == Word.stored || word & 0xFFFF == Word.found { return finish() }
        }
        return failure(line)
    }

    @inline(__always)
    private mutating func begin(
        _ line: UnsafeRawBufferPointer, size: Int?, ends: Bool
    ) -> Outcome? {
        guard let size else { return .garbage(Self.text(line)) }
        hits += 1
        skipped = size + 2
        endsAfterValue = ends
        return nil
    }

    /// The number that ends the line, as in `VALUE key flags bytes`; nil if there is none.
    @inline(__always)
    private static func lastNumber(_ line: UnsafeRawBufferPointer) -> Int? {
        var index = line.count - 2
        if line[index] != 13 { index += 1 }
        index -= 1
        var value = 0
        var scale = 1
        var digits = 0
        while index >= 0 {
            let digit = Int(line[index]) - 48
            guard (0...9).contains(digit) else { break }
            digits += 1
            guard digits <= 9 else { return nil }
            value += digit * scale
            scale *= 10
            index -= 1
        }
        return digits > 0 && index >= 0 && line[index] == 32 ? value : nil
    }

    /// The number behind `VA `; nil if there is none.
    @inline(__always)
    private static func secondNumber(_ line: UnsafeRawBufferPointer) -> Int? {
        var value = 0
        var index = 3
        while index < line.count {
            let digit = Int(line[index]) - 48
            guard (0...9).contains(digit) else { break }
            value = value * 10 + digit
            index += 1
            guard index <= 12 else { return nil }
        }
        return index > 3 ? value : nil
    }

    /// An error line of the protocol, or garbage.
    @inline(never)
    private mutating func failure(_ line: UnsafeRawBufferPointer) -> Outcome {
        hits = 0
        let text = Self.text(line)
        let isError =
            text == "ERROR" || text.hasPrefix("ERROR ") || text.hasPrefix("CLIENT_ERROR")
            || text.hasPrefix("SERVER_ERROR") || text == "NOT_STORED" || text.hasPrefix("NS")
        return isError ? .failed(text) : .garbage(text)
    }

    private static func text(_ bytes: some Sequence<UInt8>) -> String {
        let text = String(decoding: Array(bytes.prefix(200)), as: UTF8.self)
        return String(text.prefix { $0 != "\r" && $0 != "\n" && $0 != "\r\n" })
    }

    /// The first bytes of reply lines, lowest first.
    private enum Word {
        static let value: UInt32 = 0x554C_4156  // "VALU"
        static let end: UInt32 = 0x44_4E45  // "END"
        static let metaValue: UInt32 = 0x20_4156  // "VA "
        static let found: UInt32 = 0x4448  // "HD"
        static let metaMiss: UInt32 = 0x0A0D_4E45  // "EN\r\n"
        static let noOp: UInt32 = 0x4E4D  // "MN"
        static let stored: UInt32 = 0x524F_5453  // "STOR"
    }
}
