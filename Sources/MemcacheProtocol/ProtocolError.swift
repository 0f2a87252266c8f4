// What a client can do wrong, what it is told, and where its next command starts after that.

/// A client broke the protocol.
///
/// ``reply`` goes to the client, ``description`` goes to the log.
public struct ProtocolError: Error, Equatable, Sendable {
    /// What is wrong with the line.
    public enum Reason: UInt8, Equatable, Sendable, CaseIterable {
        case unknownCommand, wrongWordCount, badFormat, keyTooLong, badNumber, badLength
        case invalidExptime, invalidDelta, deleteUsage, valueTooLarge
        case duplicateFlag, invalidFlag, invalidOrDuplicateFlag, badFlagNumber
        case tooManyFlags, tooManyReadFlags, keyNotBase64, opaqueTooLong
        case modeLength, invalidSetMode, invalidArithmeticMode, invalidDeltaFlag, invalidInitialFlag
        case lineTooLong, binaryProtocol, httpRequest
    }

    /// How the connection gets back to the start of a command.
    public enum Recovery: UInt8, Equatable, Sendable {
        /// The next command starts after ``Command/lineCount`` bytes.
        case skipLine
        /// A data block of ``Command/valueCount`` bytes and two more follow the line: they are
        /// dropped unread.
        case skipValue
        /// Nobody knows where the next command starts: send the reply, then hang up.
        case close
    }

    /// What is wrong with the line.
    public let reason: Reason

    /// How the connection gets back to the start of a command.
    public let recovery: Recovery

    /// Creates an error; the next line is a command again unless told otherwise.
    @inlinable
    public init(_ reason: Reason, _ recovery: Recovery = .skipLine) {
        self.reason = reason
        self.recovery = recovery
    }

    /// Whether the data block after the line has to be dropped.
    public var swallowsValue: Bool { recovery == .skipValue }

    /// Whether the connection has to be closed once the reply is sent.
    public var closes: Bool { recovery == .close }

    /// The line sent back, worded as memcached 1.6 words it, without the line end; empty for no
    /// reply.
    ///
    /// It is withheld where ``Command/noreply`` is set: a `noreply` on a bad classic line silences
    /// the error too.
    public var reply: StaticString {
        switch reason {
        case .unknownCommand, .wrongWordCount: "ERROR"
        case .badFormat, .keyTooLong, .badNumber, .badLength: "CLIENT_ERROR bad command line format"
        case .invalidExptime: "CLIENT_ERROR invalid exptime argument"
        case .invalidDelta: "CLIENT_ERROR invalid numeric delta argument"
        case .deleteUsage:
            "CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]"
        case .valueTooLarge: "SERVER_ERROR object too large for cache"
        case .duplicateFlag: "CLIENT_ERROR duplicate flag"
        case .invalidFlag: "CLIENT_ERROR invalid flag"
        case .invalidOrDuplicateFlag: "CLIENT_ERROR invalid or duplicate flag"
        case .badFlagNumber: "CLIENT_ERROR bad token in command line format"
        case .tooManyFlags: "CLIENT_ERROR options flags too long"
        case .tooManyReadFlags: "CLIENT_ERROR options flags are too long"
        case .keyNotBase64: "CLIENT_ERROR error decoding key"
        case .opaqueTooLong: "CLIENT_ERROR opaque token too long"
        case .modeLength: "CLIENT_ERROR incorrect length for M token"
        case .invalidSetMode: "CLIENT_ERROR invalid mode for ms M token"
        case .invalidArithmeticMode: "CLIENT_ERROR invalid mode for ma M token"
        case .invalidDeltaFlag: "CLIENT_ERROR invalid numeric delta value"
        case .invalidInitialFlag: "CLIENT_ERROR invalid numeric initial value"
        case .lineTooLong, .binaryProtocol, .httpRequest: ""
        }
    }
}

extension ProtocolError: CustomStringConvertible {
    /// What the client did wrong, for the log.
    public var description: String {
        switch reason {
        case .unknownCommand: "unknown command; the first word is not one this server implements"
        case .wrongWordCount: "too few or too many words for this command"
        case .badFormat: "the line does not have this command's form"
        case .keyTooLong: "the key is longer than \(ProtocolLimits.keyBytes) bytes"
        case .badNumber: "a number of the line is not one"
        case .badLength:
            "the data block's length is not a number from 0 to \(ProtocolLimits.declaredValueBytes)"
        case .invalidExptime: "the expiry time is not a number"
        case .invalidDelta: "the amount to add or subtract is not a 64-bit unsigned number"
        case .deleteUsage: "delete takes a key, an optional 0 and an optional noreply"
        case .valueTooLarge: "the value is larger than the item size limit; raise it with -I"
        case .duplicateFlag: "a meta flag was given twice or is no ASCII character"
        case .invalidFlag: "unknown meta flag"
        case .invalidOrDuplicateFlag: "a meta flag is unknown, was given twice or has a bad value"
        case .badFlagNumber: "a meta flag's value is not a number"
        case .tooManyFlags, .tooManyReadFlags:
            "a meta command has more than \(ProtocolLimits.metaWords) words"
        case .keyNotBase64: "the key is flagged as base64 and is not canonical base64"
        case .opaqueTooLong: "the opaque token is longer than \(ProtocolLimits.opaqueBytes) bytes"
        case .modeLength: "the mode flag M takes exactly one character"
        case .invalidSetMode: "the mode of ms is none of E, A, P, R, S"
        case .invalidArithmeticMode: "the mode of ma is none of I, D, +, -"
        case .invalidDeltaFlag: "the delta of ma (D) is not a 64-bit unsigned number"
        case .invalidInitialFlag: "the initial value of ma (J) is not a 64-bit unsigned number"
        case .lineTooLong: "no line end within \(ProtocolLimits.lineBytes) bytes; hanging up"
        case .binaryProtocol:
            "a command starts with byte 0x80: the binary protocol is not spoken here; hanging up"
        case .httpRequest: "an HTTP request on the cache's port; hanging up"
        }
    }
}
