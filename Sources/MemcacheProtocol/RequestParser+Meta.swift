// The meta commands: mg, ms, md, ma, me (mn needs no reading).

extension RequestParser {
    /// `mg <key> <flags>*`.
    func metaGet(_ line: inout LineReader, _ command: inout Command) -> ProtocolError? {
        command.verb = .metaGet
        command.key = line.next()
        if command.key.isEmpty { return ProtocolError(.wrongWordCount) }
        command.arguments = line.rest()
        if command.key.count > ProtocolLimits.keyBytes { return ProtocolError(.keyTooLong) }
        var flags = MetaFlagReader(key: command.key)
        if let reason = flags.read(&line, wordsBefore: 2) {
            return ProtocolError(reason == .tooManyFlags ? .tooManyReadFlags : reason)
        }
        if flags.opaqueIsTooLong { return ProtocolError(.opaqueTooLong) }
        command.meta = flags.meta
        command.noreply = flags.meta.isQuiet
        return nil
    }

    /// `ms <key> <datalen> <flags>*`.
    ///
    /// As in ``storage(_:_:_:)``, the data block of a bad line is never taken for commands.
    func metaSet(_ line: inout LineReader, _ command: inout Command) -> ProtocolError? {
        command.verb = .metaSet
        command.key = line.next()
        if command.key.isEmpty { return ProtocolError(.wrongWordCount) }
        let lengthWord = line.next()
        if lengthWord.isEmpty { return ProtocolError(.badFormat) }
        let keyIsTooLong = command.key.count > ProtocolLimits.keyBytes
        guard let length = DecimalNumber.length(line.base, lengthWord) else {
            // memcached counts the words before it reads the length.
            let hasTooMany = MetaFlagReader.hasTooManyWords(line, wordsBefore: 3)
            return ProtocolError(
                keyIsTooLong ? .keyTooLong : hasTooMany ? .tooManyFlags : .badLength, .close)
        }
        command.valueCount = length
        if keyIsTooLong { return ProtocolError(.keyTooLong, .skipValue) }
        command.arguments = line.rest()
        var flags = MetaFlagReader(key: command.key)
        if let reason = flags.read(&line, wordsBefore: 3) {
            return ProtocolError(reason, .skipValue)
        }
        switch flags.meta.mode {
        case 0, UInt8(ascii: "E"), UInt8(ascii: "A"), UInt8(ascii: "P"), UInt8(ascii: "R"),
            UInt8(ascii: "S"):
            break
        default: return ProtocolError(.invalidSetMode, .skipValue)
        }
        if flags.opaqueIsTooLong { return ProtocolError(.opaqueTooLong, .skipValue) }
        command.meta = flags.meta
        command.clientFlags = flags.clientFlags
        command.exptime = flags.meta.exptime
        if length > limits.valueBytes { return ProtocolError(.valueTooLarge, .skipValue) }
        command.noreply = flags.meta.isQuiet
        return nil
    }

    /// `md <key> <flags>*` and `ma <key> <flags>*`, whose errors memcached words alike.
    func metaOther(
        _ verb: Verb, _ line: inout LineReader, _ command: inout Command
    ) -> ProtocolError? {
        command.verb = verb
        command.key = line.next()
        if command.key.isEmpty { return ProtocolError(.wrongWordCount) }
        command.arguments = line.rest()
        if command.key.count > ProtocolLimits.keyBytes { return ProtocolError(.keyTooLong) }
        var flags = MetaFlagReader(key: command.key)
        if let reason = flags.read(&line, wordsBefore: 2) {
            return ProtocolError(reason == .tooManyFlags ? reason : .invalidOrDuplicateFlag)
        }
        if verb == .metaArithmetic {
            switch flags.meta.mode {
            case 0, UInt8(ascii: "I"), UInt8(ascii: "+"), UInt8(ascii: "D"), UInt8(ascii: "-"):
                break
            default: return ProtocolError(.invalidArithmeticMode)
            }
        }
        if flags.opaqueIsTooLong { return ProtocolError(.opaqueTooLong) }
        command.meta = flags.meta
        command.noreply = flags.meta.isQuiet
        return nil
    }

    /// `me <key> [b]`; further words are ignored.
    func metaDebug(_ line: inout LineReader, _ command: inout Command) -> ProtocolError? {
        command.verb = .metaDebug
        command.key = line.next()
        if command.key.isEmpty || command.key.count > ProtocolLimits.keyBytes {
            return ProtocolError(command.key.isEmpty ? .badFormat : .keyTooLong)
        }
        command.arguments = line.rest()
        if line.matches(line.next(), "b") {
            guard Base64.decodedCount(line.base, command.key) != nil else {
                return ProtocolError(.badFormat)
            }
            command.meta.insert(UInt8(ascii: "b"))
        }
        return nil
    }
}

/// Reads the flags of a meta command in request order.
struct MetaFlagReader {
    private let key: Range<Int>

    /// What the flags say.
    private(set) var meta = MetaArguments()

    /// `F`: the client's flags.
    private(set) var clientFlags: UInt32 = 0

    /// Whether the opaque token is longer than ``ProtocolLimits/opaqueBytes``; judged after
    /// everything else.
    private(set) var opaqueIsTooLong = false

    /// A bad value, reported unless a worse error follows: memcached reads on and the last one
    /// wins.
    private var pending: ProtocolError.Reason?

    /// Starts on a command for `key`, which `b` declares to be base64.
    init(key: Range<Int>) {
        self.key = key
    }

    /// Reads all flags from the cursor of `line` on; the reason of the error if there is one.
    mutating func read(
        _ line: inout LineReader, wordsBefore: Int
    ) -> ProtocolError.Reason? {
        if Self.hasTooManyWords(line, wordsBefore: wordsBefore) { return .tooManyFlags }
        while true {
            let word = line.next()
            if word.isEmpty { return pending }
            let letter = ByteScan.byte(line.base, word.lowerBound)
            if letter >= 127 || meta.letters & MetaArguments.bit(letter) != 0 {
                return .duplicateFlag
            }
            let argument = Range(uncheckedBounds: (word.lowerBound &+ 1, word.upperBound))
            if !take(letter, argument, line.base) { return .invalidFlag }
            meta.insert(letter)
        }
    }

    /// Whether `line` has more words than ``ProtocolLimits/metaWords``; `wordsBefore` of them are
    /// behind its cursor.
    @inline(__always)
    static func hasTooManyWords(_ line: LineReader, wordsBefore: Int) -> Bool {
        // Words take two bytes each at least, so a short line needs no counting.
        if line.end &- line.cursor < 2 &* (ProtocolLimits.metaWords &- wordsBefore) { return false }
        var rest = line
        var words = wordsBefore
        while !rest.next().isEmpty { words &+= 1 }
        return words > ProtocolLimits.metaWords
    }

    /// Takes one flag; false if there is none of that letter.
    @inline(__always)
    private mutating func take(
        _ letter: UInt8, _ argument: Range<Int>, _ base: UnsafeRawPointer
    ) -> Bool {
        switch letter {
        case UInt8(ascii: "v"), UInt8(ascii: "k"), UInt8(ascii: "q"), UInt8(ascii: "s"),
            UInt8(ascii: "t"), UInt8(ascii: "c"), UInt8(ascii: "f"), UInt8(ascii: "l"),
            UInt8(ascii: "h"), UInt8(ascii: "u"), UInt8(ascii: "x"), UInt8(ascii: "I"),
            UInt8(ascii: "P"), UInt8(ascii: "L"):
            break
        case UInt8(ascii: "O"):
            opaqueIsTooLong = argument.count >= ProtocolLimits.opaqueBytes
        case UInt8(ascii: "b"):
            if Base64.decodedCount(base, key) == nil { pending = .keyNotBase64 }
        case UInt8(ascii: "M"):
            if argument.count == 1 {
                meta.mode = ByteScan.byte(base, argument.lowerBound)
            } else {
                pending = .modeLength
            }
        case UInt8(ascii: "T"), UInt8(ascii: "N"), UInt8(ascii: "R"):
            takeTime(letter, argument, base)
        case UInt8(ascii: "C"), UInt8(ascii: "E"), UInt8(ascii: "D"), UInt8(ascii: "J"):
            takeNumber(letter, argument, base)
        case UInt8(ascii: "F"):
            if let value = DecimalNumber.flags(base, argument) {
                clientFlags = value
            } else if pending == nil {
                // memcached sets no text of its own for this one.
                pending = .badFormat
            }
        default: return false
        }
        return true
    }

    /// Takes `T`, `N` or `R`.
    private mutating func takeTime(
        _ letter: UInt8, _ argument: Range<Int>, _ base: UnsafeRawPointer
    ) {
        guard let value = DecimalNumber.signed(base, argument) else {
            pending = .badFlagNumber
            return
        }
        switch letter {
        case UInt8(ascii: "T"): meta.exptime = value
        case UInt8(ascii: "N"): meta.vivifyExptime = value
        default: meta.recacheTime = value
        }
    }

    /// Takes `C`, `E`, `D` or `J`.
    private mutating func takeNumber(
        _ letter: UInt8, _ argument: Range<Int>, _ base: UnsafeRawPointer
    ) {
        guard let value = DecimalNumber.unsigned(base, argument) else {
            switch letter {
            case UInt8(ascii: "D"): pending = .invalidDeltaFlag
            case UInt8(ascii: "J"): pending = .invalidInitialFlag
            default: pending = .badFlagNumber
            }
            return
        }
        switch letter {
        case UInt8(ascii: "C"): meta.compareCAS = value
        case UInt8(ascii: "E"): meta.newCAS = value
        case UInt8(ascii: "D"): meta.delta = value
        default: meta.initialValue = value
        }
    }
}
