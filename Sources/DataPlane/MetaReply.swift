// Pieces of replies that several meta commands share.
import MemcacheProtocol
import Primitives
import Storage

/// Composes the flags of meta replies.
enum MetaReply {
    /// Appends a space, `letter` and `number`.
    @inline(__always)
    static func append(_ letter: Unicode.Scalar, _ number: UInt64, to output: inout ByteWriter) {
        output.reserve(22)
        output.appendReserved(UInt8(ascii: " "))
        output.appendReserved(UInt8(ascii: letter))
        output.appendReserved(decimal: number)
    }

    /// Appends what is sent back whatever the outcome: the opaque token and the key.
    @inline(__always)
    static func appendEcho(
        _ letter: UInt8, _ argument: Range<Int>, _ line: RawSpan, _ key: RawSpan,
        _ command: Command,
        to output: inout ByteWriter
    ) {
        if letter == UInt8(ascii: "O") {
            appendOpaque(argument, line, to: &output)
        } else if letter == UInt8(ascii: "k") {
            appendKey(key, inBase64: command.meta.keyIsBase64, to: &output)
        }
    }

    /// Appends the opaque token as it came.
    static func appendOpaque(_ argument: Range<Int>, _ line: RawSpan, to output: inout ByteWriter) {
        output.append(UInt8(ascii: " "))
        output.append(UInt8(ascii: "O"))
        output.append(line.extracting(argument))
    }

    /// Whether `mg` and `me` send the key of an item in base64.
    ///
    /// As in memcached that depends on how the key was sent with the value, and not with this
    /// request, except that a key which would break the reply's line is never sent as it is.
    static func sendsBase64(_ key: RawSpan, _ state: ItemState, _ command: Command) -> Bool {
        if state.contains(.binaryKey) { return true }
        guard command.meta.keyIsBase64 else { return false }
        for offset in 0..<key.byteCount where key.byte(offset) <= 32 { return true }
        return false
    }

    /// Appends the key, and a `b` after it where it is sent in base64.
    static func appendKey(_ key: RawSpan, inBase64: Bool, to output: inout ByteWriter) {
        output.append(UInt8(ascii: " "))
        output.append(UInt8(ascii: "k"))
        if inBase64 {
            Base64.encode(key, to: &output)
            output.append(" b")
        } else {
            output.append(key)
        }
    }

    /// Appends the time to live, -1 for never.
    static func appendSecondsLeft(_ seconds: Int64, to output: inout ByteWriter) {
        if seconds < 0 {
            output.append(" t-1")
        } else {
            append("t", UInt64(seconds), to: &output)
        }
    }

    /// Appends all echoed flags of a command and the line end: the rest of a reply without an item.
    static func finish(
        _ command: Command, _ line: RawSpan, _ key: RawSpan, to output: inout ByteWriter
    ) {
        var flags = MetaFlagList(command)
        while let (letter, argument) = flags.next(in: line) {
            appendEcho(letter, argument, line, key, command, to: &output)
        }
        output.append(ReplyText.lineEnd)
    }
}
