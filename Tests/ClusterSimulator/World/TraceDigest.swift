// One number for a whole run: two runs that differ anywhere differ here.

/// A 64-bit hash over all events of a run, in order; no hash seed of the process enters it.
struct TraceDigest: Equatable {
    private(set) var value: UInt64

    /// Goes on from `value`; by default from nothing.
    init(value: UInt64 = 0xCBF2_9CE4_8422_2325) {
        self.value = value
    }

    /// Mixes one word in.
    mutating func mix(_ word: UInt64) {
        value = (value ^ word) &* 0x9E37_79B9_7F4A_7C15
        value ^= value &>> 29
    }

    /// Mixes a run of bytes in, eight at a time.
    mutating func mix(_ bytes: [UInt8]) {
        mix(UInt64(bytes.count))
        var word: UInt64 = 0
        for (index, byte) in bytes.enumerated() {
            word = word &<< 8 | UInt64(byte)
            if index % 8 == 7 {
                mix(word)
                word = 0
            }
        }
        mix(word)
    }
}
