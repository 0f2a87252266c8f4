// The classic commands on one key: set and its family, incr, decr, touch, delete.

extension RequestParser {
    /// `<verb> <key> <flags> <exptime> <bytes> [<cas>] [noreply]`.
    ///
    /// Where memcached would go on and take the data block of a bad line for commands, the block is
    /// dropped if its length is known for sure, and the connection closed if not: a key with a
    /// space in it shifts the numbers, so they are only believed when the whole line is sound.
    func storage(
        _ verb: Verb, _ line: inout LineReader, _ command: inout Command
    ) -> ProtocolError? {
        command.verb = verb
        command.key = line.next()
        let flagsWord = line.next()
        let exptimeWord = line.next()
        let lengthWord = line.next()
        let casWord = verb == .cas ? line.next() : lengthWord
        // Too few words declare no block.
        if casWord.isEmpty { return ProtocolError(.wrongWordCount) }
        let last = line.next()
        if !last.isEmpty {
            if !line.next().isEmpty { return ProtocolError(.wrongWordCount, .close) }
            command.noreply = line.isNoreply(last)
        } else {
            command.noreply = line.isNoreply(casWord)
        }
        let keyIsTooLong = command.key.count > ProtocolLimits.keyBytes
        guard let flags = DecimalNumber.flags(line.base, flagsWord),
            let exptime = DecimalNumber.signed(line.base, exptimeWord)
        else { return ProtocolError(keyIsTooLong ? .keyTooLong : .badNumber, .close) }
        if verb == .cas {
            guard let number = DecimalNumber.unsigned(line.base, casWord) else {
                return ProtocolError(keyIsTooLong ? .keyTooLong : .badNumber, .close)
            }
            command.number = number
        }
        guard let length = DecimalNumber.length(line.base, lengthWord) else {
            return ProtocolError(keyIsTooLong ? .keyTooLong : .badLength, .close)
        }
        command.clientFlags = flags
        command.exptime = exptime
        command.valueCount = length
        if keyIsTooLong { return ProtocolError(.keyTooLong, .skipValue) }
        return length > limits.valueBytes ? ProtocolError(.valueTooLarge, .skipValue) : nil
    }

    /// `incr|decr <key> <delta> [noreply]`.
    func arithmetic(
        _ verb: Verb, _ line: inout LineReader, _ command: inout Command
    ) -> ProtocolError? {
        command.verb = verb
        let argument = keyAndArgument(&line, &command)
        if argument.isEmpty { return ProtocolError(.wrongWordCount) }
        if command.key.count > ProtocolLimits.keyBytes { return ProtocolError(.keyTooLong) }
        guard let number = DecimalNumber.unsigned(line.base, argument) else {
            return ProtocolError(.invalidDelta)
        }
        command.number = number
        return nil
    }

    /// `touch <key> <exptime> [noreply]`.
    func touch(_ line: inout LineReader, _ command: inout Command) -> ProtocolError? {
        command.verb = .touch
        let argument = keyAndArgument(&line, &command)
        if argument.isEmpty { return ProtocolError(.wrongWordCount) }
        if command.key.count > ProtocolLimits.keyBytes { return ProtocolError(.keyTooLong) }
        guard let exptime = DecimalNumber.signed(line.base, argument) else {
            return ProtocolError(.invalidExptime)
        }
        command.exptime = exptime
        return nil
    }

    /// Reads a key, one argument and perhaps one more word; empty if the number of words is wrong.
    @inline(__always)
    private func keyAndArgument(
        _ line: inout LineReader, _ command: inout Command
    ) -> Range<Int> {
        command.key = line.next()
        let argument = line.next()
        let last = line.next()
        if !line.next().isEmpty { return 0..<0 }
        if !argument.isEmpty {
            command.noreply = line.isNoreply(last.isEmpty ? argument : last)
        }
        return argument
    }

    /// `delete <key> [0] [noreply]`; the 0 is a hold time that memcached once had.
    func delete(_ line: inout LineReader, _ command: inout Command) -> ProtocolError? {
        command.verb = .delete
        command.key = line.next()
        if command.key.isEmpty { return ProtocolError(.wrongWordCount) }
        let second = line.next()
        if !second.isEmpty {
            let third = line.next()
            if !line.next().isEmpty { return ProtocolError(.wrongWordCount) }
            let hasZero = line.matches(second, "0")
            command.noreply = line.isNoreply(third.isEmpty ? second : third)
            let isValid =
                third.isEmpty ? hasZero || command.noreply : hasZero && command.noreply
            if !isValid { return ProtocolError(.deleteUsage) }
        }
        return command.key.count > ProtocolLimits.keyBytes ? ProtocolError(.keyTooLong) : nil
    }
}
