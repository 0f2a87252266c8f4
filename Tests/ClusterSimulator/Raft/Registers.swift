// The state machine that the simulated cluster replicates: a few registers.

/// Registers that commands overwrite, and a hash over all commands so far.
struct Registers: Equatable {
    /// Registers: few, so that operations meet.
    static let count = 8

    /// One command: which register gets which value.
    struct Command: Equatable {
        /// Unique in the run, and the value that is written.
        var number: UInt64
        var register: Int

        /// The command as a payload, with `padding` bytes so that logs grow.
        func bytes(padding: Int) -> [UInt8] {
            [UInt8(register)] + littleEndian(number) + Array(repeating: 0x5A, count: padding)
        }
    }

    private(set) var values = Array(repeating: UInt64(0), count: count)
    /// The last applied entry.
    private(set) var appliedIndex: UInt64 = 0
    private(set) var digest = TraceDigest()

    /// Applies the payload of entry `index`; anything but a command only moves the index.
    mutating func apply(_ payload: [UInt8]?, at index: UInt64) {
        appliedIndex = index
        digest.mix(index)
        guard let payload, payload.count >= 9 else { return }
        let number = word(payload[1..<9])
        values[Int(payload[0]) % Self.count] = number
        digest.mix(payload[0..<9].reduce(number) { $0 &* 31 &+ UInt64($1) })
    }

    /// The whole state as bytes.
    func encoded(padding: Int) -> [UInt8] {
        var bytes = littleEndian(appliedIndex) + littleEndian(digest.value)
        for value in values { bytes += littleEndian(value) }
        return bytes + Array(repeating: 0xA5, count: padding)
    }

    /// The state that ``encoded(padding:)`` wrote; nil when bytes are missing.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 8 * (2 + Self.count) else { return nil }
        appliedIndex = word(bytes[0..<8])
        digest = TraceDigest(value: word(bytes[8..<16]))
        for index in 0..<Self.count {
            values[index] = word(bytes[(16 + 8 * index)..<(24 + 8 * index)])
        }
    }

    /// The state before the first entry that comes after `index`.
    init(foundedAt index: UInt64 = 0) {
        appliedIndex = index
    }
}

/// `number` in eight bytes, lowest first.
func littleEndian(_ number: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: number &>> (8 * UInt64($0))) }
}

/// The number in up to eight bytes, lowest first.
func word(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 &<< 8 | UInt64($1) }
}
