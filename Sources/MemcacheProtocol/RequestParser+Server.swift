// Commands to the server itself: no key. Their words are left to whoever carries them out, but for
// the numbers that every caller would have to read in the same way.

extension RequestParser {
    /// Verbs of up to eight bytes that are no key commands.
    @inline(never)
    func shortServerVerb(
        _ word: Range<Int>, _ line: inout LineReader, _ command: inout Command
    ) -> ProtocolError? {
        switch line.packed(word) {
        case VerbWord.version: return words(of: .version, &line, &command)
        case VerbWord.stats: return words(of: .stats, &line, &command)
        case VerbWord.quit: return words(of: .quit, &line, &command)
        case VerbWord.shutdown: return words(of: .shutdown, &line, &command)
        case VerbWord.slabs:
            let error = words(of: .slabs, &line, &command)
            // Only `slabs automove` knows noreply.
            if !firstWord(line, command, is: "automove") { command.noreply = false }
            return error
        case VerbWord.watch: return words(of: .watch, &line, &command)
        case VerbWord.lru: return words(of: .lru, atLeast: 1, &line, &command)
        case VerbWord.extstore: return words(of: .extstore, atLeast: 1, &line, &command)
        case VerbWord.config: return config(&line, &command)
        case VerbWord.kiln: return words(of: .kiln, atLeast: 1, &line, &command)
        default: return unknown(word, line)
        }
    }

    /// Verbs of more than eight bytes.
    @inline(never)
    func longVerb(
        _ word: Range<Int>, _ line: inout LineReader, _ command: inout Command
    ) -> ProtocolError? {
        if line.matches(word, "flush_all") { return flushAll(&line, &command) }
        if line.matches(word, "verbosity") { return verbosity(&line, &command) }
        if line.matches(word, "cache_memlimit") { return memoryLimit(&line, &command) }
        if line.matches(word, "lru_crawler") {
            let error = words(of: .lruCrawler, &line, &command)
            command.noreply = false
            return error
        }
        if line.matches(word, "misbehave") { return words(of: .misbehave, &line, &command) }
        if line.matches(word, "refresh_certs") { return words(of: .refreshCerts, &line, &command) }
        return unknown(word, line)
    }

    /// `flush_all [<delay>] [noreply]`.
    private func flushAll(_ line: inout LineReader, _ command: inout Command) -> ProtocolError? {
        if let error = words(of: .flushAll, atMost: 2, &line, &command) { return error }
        line.cursor = command.arguments.lowerBound
        let first = line.next()
        let hasDelay = command.noreply ? !line.next().isEmpty : !first.isEmpty
        guard hasDelay else { return nil }
        guard let delay = DecimalNumber.signed(line.base, first) else {
            return ProtocolError(.invalidExptime)
        }
        command.exptime = delay
        return nil
    }

    /// `verbosity <level> [noreply]`.
    private func verbosity(_ line: inout LineReader, _ command: inout Command) -> ProtocolError? {
        if let error = words(of: .verbosity, atLeast: 1, atMost: 2, &line, &command) {
            return error
        }
        line.cursor = command.arguments.lowerBound
        guard let level = DecimalNumber.flags(line.base, line.next()) else {
            return ProtocolError(.badNumber)
        }
        command.number = UInt64(level)
        return nil
    }

    /// `cache_memlimit <MiB> [noreply]`.
    private func memoryLimit(
        _ line: inout LineReader, _ command: inout Command
    ) -> ProtocolError? {
        if let error = words(of: .cacheMemlimit, atLeast: 1, atMost: 2, &line, &command) {
            return error
        }
        line.cursor = command.arguments.lowerBound
        guard let megabytes = DecimalNumber.flags(line.base, line.next()) else {
            return ProtocolError(.wrongWordCount)
        }
        command.number = UInt64(megabytes)
        return nil
    }

    /// `config get cluster`, as clients of cloud caches ask; no other `config`.
    private func config(_ line: inout LineReader, _ command: inout Command) -> ProtocolError? {
        if let error = words(of: .configGet, atLeast: 2, atMost: 2, &line, &command) {
            return error
        }
        line.cursor = command.arguments.lowerBound
        guard line.matches(line.next(), "get"), line.matches(line.next(), "cluster") else {
            return ProtocolError(.unknownCommand)
        }
        return nil
    }

    /// Notes the words after `verb` and whether the last of them is `noreply`.
    private func words(
        of verb: Verb, atLeast fewest: Int = 0, atMost most: Int = .max,
        _ line: inout LineReader, _ command: inout Command
    ) -> ProtocolError? {
        command.verb = verb
        command.arguments = line.rest()
        var count = 0
        var last = line.next()
        while !last.isEmpty {
            count &+= 1
            let word = line.next()
            if word.isEmpty { break }
            last = word
        }
        if count < fewest || count > most { return ProtocolError(.wrongWordCount) }
        switch verb {
        case .version, .stats, .quit, .shutdown, .misbehave, .configGet, .kiln: break
        default: command.noreply = line.isNoreply(last)
        }
        return nil
    }

    /// Whether the first word after the verb is `text`.
    private func firstWord(
        _ line: LineReader, _ command: Command, is text: StaticString
    ) -> Bool {
        var copy = line
        copy.cursor = command.arguments.lowerBound
        return line.matches(copy.next(), text)
    }

    /// A first word that is no verb: an error, or a browser that was sent here by a malicious page.
    private func unknown(_ word: Range<Int>, _ line: LineReader) -> ProtocolError {
        if line.matches(word, "POST") || line.matches(word, "Host:") {
            return ProtocolError(.httpRequest, .close)
        }
        var rest = line
        var last = word
        while true {
            let next = rest.next()
            if next.isEmpty { break }
            last = next
        }
        let scheme = Range(uncheckedBounds: (last.lowerBound, last.lowerBound &+ 5))
        if word.count >= 2 && last.count >= 5 && line.matches(scheme, "HTTP/") {
            return ProtocolError(.httpRequest, .close)
        }
        return ProtocolError(.unknownCommand)
    }
}
