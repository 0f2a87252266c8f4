// The form nearly every meta get has, read in one short pass: `mg <key>` and flags of one letter
// each.

extension RequestParser {
    /// Flags of `mg` that take no argument and change nothing in how the line is read.
    private static let plainFlags =
        MetaArguments.bit(0x63) | MetaArguments.bit(0x66) | MetaArguments.bit(0x68)  // c f h
        | MetaArguments.bit(0x6B) | MetaArguments.bit(0x6C) | MetaArguments.bit(0x71)  // k l q
        | MetaArguments.bit(0x73) | MetaArguments.bit(0x74) | MetaArguments.bit(0x75)  // s t u
        | MetaArguments.bit(0x76)  // v

    /// Reads a line of that form; false, with nothing changed, for any other, which the general way
    /// reads.
    @inline(__always)
    func plainMetaGet(
        _ base: UnsafeRawPointer, _ start: Int, _ count: Int, _ command: inout Command
    ) -> Bool {
        let head = UInt32(littleEndian: base.loadUnaligned(fromByteOffset: start, as: UInt32.self))
        guard head & 0xFF_FFFF == 0x20_67_6D else { return false }  // "mg "
        let keyStart = start &+ 3
        let limit = min(count, keyStart &+ ProtocolLimits.keyBytes &+ 64)
        let keyEnd = ByteScan.stop(base, from: keyStart, limit: limit)
        let keyCount = keyEnd &- keyStart
        guard keyCount > 0 && keyCount <= ProtocolLimits.keyBytes else { return false }
        var letters: UInt64 = 0
        var offset = keyEnd
        while limit &- offset >= 2 {
            let first = ByteScan.byte(base, offset)
            let second = ByteScan.byte(base, offset &+ 1)
            if first == ByteScan.carriageReturn && second == ByteScan.lineFeed {
                command = Command(verb: .metaGet, lineCount: offset &+ 2 &- start)
                command.key = Range(uncheckedBounds: (keyStart, keyEnd))
                command.arguments = Range(uncheckedBounds: (min(keyEnd &+ 1, offset), offset))
                command.meta.letters = letters
                command.noreply = command.meta.isQuiet
                return true
            }
            let bit = MetaArguments.bit(second)
            guard first == ByteScan.space && bit & Self.plainFlags != 0 && letters & bit == 0 else {
                return false
            }
            letters |= bit
            offset &+= 2
        }
        return false
    }
}
