// libFuzzer's way into the parser: any bytes, cut at places the bytes choose, must mean the same as
// uncut.

import MemcacheProtocol

/// What a stream of bytes means, as a number; it traps where the parser breaks a promise.
///
/// It is a connection without a socket: it parses, drops data blocks, and stops where the parser
/// says so.
private struct Reading {
    private let parser = RequestParser(limits: ProtocolLimits(valueBytes: 1_000))
    private let base: UnsafeRawPointer
    private var position = 0
    private var toSwallow = 0
    private var line: Verb?
    private var isClosed = false
    private(set) var hash: UInt64 = 0xCBF2_9CE4_8422_2325

    init(_ base: UnsafeRawPointer) {
        self.base = base
    }

    private mutating func mix(_ value: Int) {
        hash = (hash ^ UInt64(bitPattern: Int64(value))) &* 0x100_0000_01B3
    }

    private mutating func mix(_ range: Range<Int>) {
        mix(range.count)
        for offset in range { mix(Int(base.load(fromByteOffset: offset, as: UInt8.self))) }
    }

    /// Reads what can be read when `count` bytes have arrived.
    mutating func advance(to count: Int) {
        while !isClosed {
            let dropped = min(toSwallow, count - position)
            position += dropped
            toSwallow -= dropped
            if toSwallow > 0 || position == count { return }
            // The line starts at the start of the span, so that the sanitizer sees a read before it
            // too.
            let from = position
            let bytes = UnsafeRawBufferPointer(start: base + from, count: count - from).bytes
            var command = Command(verb: .quit, lineCount: -1)
            let status =
                if let verb = line {
                    parser.parseContinuation(bytes, from: 0, of: verb, into: &command)
                } else {
                    parser.parse(bytes, from: 0, into: &command)
                }
            if status == .needMore {
                precondition(command.lineCount == -1, "needMore touched the command")
                return
            }
            line = nil
            if case .failed(let error) = status {
                fail(error, command, count - from)
            } else {
                complete(command, bytes, from)
            }
        }
    }

    private mutating func complete(_ command: Command, _ bytes: RawSpan, _ from: Int) {
        precondition(command.lineCount > 0 && command.lineCount <= bytes.byteCount)
        precondition(command.key.count <= 250 && command.valueCount >= 0)
        precondition(command.arguments.upperBound <= command.lineCount)
        precondition(command.key.upperBound <= command.lineCount)
        mix(Int(command.verb.rawValue))
        mix(command.noreply ? 1 : 0)
        mix((from + command.key.lowerBound)..<(from + command.key.upperBound))
        for number in [command.meta.letters, command.number, UInt64(command.clientFlags)] {
            mix(Int(truncatingIfNeeded: number))
        }
        var flags = MetaFlagList(command)
        while let (letter, argument) = flags.next(in: bytes) {
            mix(Int(letter))
            mix((from + argument.lowerBound)..<(from + argument.upperBound))
        }
        switch command.verb {
        case .set, .add, .replace, .append, .prepend, .cas, .metaSet:
            precondition(command.valueCount <= 1_000)
            toSwallow = command.valueCount + 2
        case .get, .gets, .gat, .gats:
            var keys = KeyList(command)
            while let key = keys.next(in: bytes) { precondition(key.count <= 250) }
            line = command.continues ? command.verb : nil
        default: precondition(!command.continues)
        }
        if command.meta.keyIsBase64 { decode(bytes, command.key) }
        position += command.lineCount
    }

    private func decode(_ bytes: RawSpan, _ key: Range<Int>) {
        withUnsafeTemporaryAllocation(byteCount: ProtocolLimits.decodedKeyBytes, alignment: 1) {
            let decoded = Base64.decode(bytes.extracting(key), into: $0)
            precondition(decoded != nil, "the parser took a key that does not decode")
        }
    }

    private mutating func fail(_ error: ProtocolError, _ command: Command, _ count: Int) {
        mix(Int(error.reason.rawValue) + 1_000)
        mix(command.noreply ? 1 : 0)
        isClosed = error.closes
        if isClosed { return }
        precondition(command.lineCount > 0 && command.lineCount <= count)
        position += command.lineCount
        if error.swallowsValue { toSwallow = command.valueCount + 2 }
    }
}

/// Called by libFuzzer; the first byte chooses the cuts.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRequestParser(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 1 else { return 0 }
    let base = UnsafeRawPointer(start + 1)
    let stream = count - 1
    var whole = Reading(base)
    whole.advance(to: stream)

    var pieces = Reading(base)
    let step = Int(start[0])
    if step == 0 {
        // Windows of long lines make single bytes quadratic by design; bounded here.
        for arrived in 1...min(stream, 2_500) { pieces.advance(to: arrived) }
    } else {
        for arrived in stride(from: step, to: stream, by: step) { pieces.advance(to: arrived) }
    }
    pieces.advance(to: stream)
    precondition(pieces.hash == whole.hash, "cutting the stream changed its meaning")
    return 0
}
