// Bytes to commands. The parser looks at one line at a time and keeps nothing between calls: a
// connection calls it at the start of what it has received, runs the command, skips the line (and
// its data block), and calls it again.

import CIntrinsics

/// Parses memcached's text protocol: classic and meta commands.
///
/// A line is judged only once its line end has arrived, so what a stream of bytes means does not
/// depend on how it was cut into packets. Time is linear in the line, nothing is allocated, and no
/// call reads more than ``ProtocolLimits/retrievalWindowBytes`` bytes.
public struct RequestParser: Sendable {
    /// What a client must keep to; may be changed between calls.
    public var limits: ProtocolLimits

    /// Creates a parser; it is a value without state.
    public init(limits: ProtocolLimits = ProtocolLimits()) {
        self.limits = limits
    }

    /// Parses one command line that starts at `start`.
    ///
    /// - Parameters:
    ///   - bytes: What has been received; every range of `command` is an offset into it.
    ///   - start: Where the line starts; not beyond the end of `bytes`.
    ///   - command: Receives the command. It is untouched by ``ParseStatus/needMore``.
    /// - Returns: What became of the line.
    public func parse(
        _ bytes: RawSpan, from start: Int, into command: inout Command
    ) -> ParseStatus {
        bytes.withUnsafeBytes { buffer in
            precondition(start >= 0 && start <= buffer.count, "\(start) is outside the buffer")
            guard let base = buffer.baseAddress else { return .needMore }
            let count = buffer.count
            if count &- start >= 5, let status = retrieval(base, start, start, count, &command) {
                return status
            }
            if count &- start >= 8, plainMetaGet(base, start, count, &command) { return .complete }
            return parseLine(base, start, count, &command)
        }
    }

    /// Continues a retrieval line that came in parts: `start` is where the last part ended.
    ///
    /// - Parameters:
    ///   - bytes: What has been received.
    ///   - start: Where the keys go on; not beyond the end of `bytes`.
    ///   - previous: The verb of the line. The expiry time of `gat` is the caller's to carry over.
    ///   - command: Receives the next keys, and whether the line ends with them.
    /// - Returns: What became of the part. An error ends the line as in ``parse(_:from:into:)``.
    public func parseContinuation(
        _ bytes: RawSpan, from start: Int, of previous: Verb, into command: inout Command
    ) -> ParseStatus {
        bytes.withUnsafeBytes { buffer in
            precondition(start >= 0 && start <= buffer.count, "\(start) is outside the buffer")
            guard let base = buffer.baseAddress else { return .needMore }
            let line = RetrievalLine(
                base: base, start: start, keys: start, count: buffer.count, isFirstPart: false)
            return line.parse(previous, exptime: 0, &command)
        }
    }

    /// Parses any line that does not start with a retrieval verb and a space.
    @inline(never)
    private func parseLine(
        _ base: UnsafeRawPointer, _ start: Int, _ count: Int, _ command: inout Command
    ) -> ParseStatus {
        guard start < count else { return .needMore }
        if ByteScan.byte(base, start) == 0x80 {
            return .failed(ProtocolError(.binaryProtocol, .close))
        }
        if ByteScan.byte(base, start) == ByteScan.space {
            // memcached skips spaces before the verb.
            let limit = min(count, start &+ ProtocolLimits.leadingSpaces)
            let word = ByteScan.skipSpaces(base, from: start, limit: limit)
            if count &- word >= 5, let status = retrieval(base, start, word, count, &command) {
                return status
            }
        }
        let limit = min(count &- start, ProtocolLimits.lineBytes &+ 1)
        guard
            let found = kiln_find_byte(
                base + start, Int32(ByteScan.lineFeed), UInt(bitPattern: limit))
        else {
            return limit > ProtocolLimits.lineBytes
                ? .failed(ProtocolError(.lineTooLong, .close)) : .needMore
        }
        let newline = base.distance(to: found)
        command = Command(verb: .get, lineCount: newline &+ 1 &- start)
        var line = LineReader(base: base, start: start, newline: newline)
        if let error = dispatch(&line, count, &command) { return .failed(error) }
        return .complete
    }

    /// Recognises the first word and reads the rest as that command has it.
    private func dispatch(
        _ line: inout LineReader, _ count: Int, _ command: inout Command
    ) -> ProtocolError? {
        let word = line.next()
        guard word.count <= 8 else { return longVerb(word, &line, &command) }
        switch line.packed(word) {
        case VerbWord.set: return storage(.set, &line, &command)
        case VerbWord.metaGet: return metaGet(&line, &command)
        case VerbWord.metaSet: return metaSet(&line, &command)
        case VerbWord.delete: return delete(&line, &command)
        case VerbWord.incr: return arithmetic(.incr, &line, &command)
        case VerbWord.decr: return arithmetic(.decr, &line, &command)
        case VerbWord.touch: return touch(&line, &command)
        case VerbWord.add: return storage(.add, &line, &command)
        case VerbWord.replace: return storage(.replace, &line, &command)
        case VerbWord.append: return storage(.append, &line, &command)
        case VerbWord.prepend: return storage(.prepend, &line, &command)
        case VerbWord.cas: return storage(.cas, &line, &command)
        case VerbWord.metaDelete: return metaOther(.metaDelete, &line, &command)
        case VerbWord.metaArithmetic: return metaOther(.metaArithmetic, &line, &command)
        case VerbWord.metaNoop:
            command.verb = .metaNoop
            return nil
        case VerbWord.metaDebug: return metaDebug(&line, &command)
        // memcached still takes `bget` for `get`, though no document mentions it.
        case VerbWord.get, VerbWord.bget: return shortRetrieval(.get, &line, &command)
        case VerbWord.gets: return shortRetrieval(.gets, &line, &command)
        case VerbWord.gat: return shortRetrieval(.gat, &line, &command)
        case VerbWord.gats: return shortRetrieval(.gats, &line, &command)
        default: return shortServerVerb(word, &line, &command)
        }
    }
}
