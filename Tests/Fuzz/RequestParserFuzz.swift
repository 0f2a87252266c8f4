// libFuzzer target for the request parser, built by scripts/fuzz: `make fuzz`.
//
// The input is what a connection received. It is walked as the data loop walks it, and each step is
// held to the parser's contract; a broken promise is a trap, which libFuzzer reports with the
// input.

import MemcacheProtocol

/// Called by libFuzzer with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = UnsafeRawBufferPointer(start: start, count: count)
    var walk = Walk(input: input)
    while walk.step() {}
    return 0
}

/// One pass over an input, command by command.
private struct Walk {
    let parser = RequestParser(limits: ProtocolLimits(valueBytes: 4096))
    let input: UnsafeRawBufferPointer
    var position = 0
    /// The verb of a retrieval line whose keys go on, or nil between lines.
    var continued: Verb?

    init(input: UnsafeRawBufferPointer) {
        self.input = input
    }

    /// Parses at `position`; false at the end of what can be parsed.
    mutating func step() -> Bool {
        let blank = Command(verb: .metaNoop, lineCount: 0)
        var command = blank
        let before = position
        let status = parse(upTo: input.count, into: &command)
        switch status {
        case .needMore:
            precondition(command == blank, "needMore at \(before) has touched the command")
            return false
        case .failed(let error):
            if error.closes { return false }
            check(command, at: before)
            position += command.lineCount
            if error.swallowsValue { position += command.valueCount + 2 }
            continued = nil
        case .complete:
            check(command, at: before)
            checkPrefixes(of: command, at: before)
            position += command.lineCount
            if command.verb.takesValue { position += command.valueCount + 2 }
            continued = command.continues ? command.verb : nil
        }
        return position <= input.count
    }

    private func parse(upTo end: Int, into command: inout Command) -> ParseStatus {
        let bytes = UnsafeRawBufferPointer(rebasing: input[..<end]).bytes
        if let continued {
            return parser.parseContinuation(bytes, from: position, of: continued, into: &command)
        }
        return parser.parse(bytes, from: position, into: &command)
    }

    /// A command lies within its line, and the line within the input.
    private func check(_ command: Command, at start: Int) {
        precondition(command.lineCount > 0, "a command at \(start) takes no bytes")
        let end = start + command.lineCount
        precondition(end <= input.count, "a line at \(start) ends at \(end), past the input")
        precondition(command.valueCount >= 0, "a value of \(command.valueCount) bytes")
        for range in [command.key, command.arguments] where !range.isEmpty {
            let isInside = range.lowerBound >= start && range.upperBound <= end
            precondition(isInside, "range \(range) leaves the line \(start)..<\(end)")
        }
    }

    /// What follows a line does not change its meaning, and no part of one is taken for a whole.
    private func checkPrefixes(of command: Command, at start: Int) {
        guard !command.continues else { return }
        let end = start + command.lineCount
        var again = Command(verb: .metaNoop, lineCount: 0)
        let status = parse(upTo: end, into: &again)
        precondition(status == .complete && again == command, "the line alone means \(again)")
        // Every cut of a long line would take quadratic time: the ends and a few between.
        for cut in [start, start + command.lineCount / 2, end - 2, end - 1] where cut >= start {
            var partial = Command(verb: .metaNoop, lineCount: 0)
            let status = parse(upTo: cut, into: &partial)
            precondition(status == .needMore, "\(cut - start) bytes of the line are \(status)")
        }
    }
}

extension Verb {
    /// Whether a data block follows the line.
    fileprivate var takesValue: Bool {
        switch self {
        case .set, .add, .replace, .append, .prepend, .cas, .metaSet: true
        default: false
        }
    }
}
