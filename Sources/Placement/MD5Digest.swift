// MD5 is what stock clients hash with; it is written out here because this room imports no library.
// It guards nothing: a position on a ring needs to be the same everywhere, not secret.

/// The MD5 digest of some bytes (Rivest, RFC 1321), as four words.
///
/// Word `i` is bytes `4i ..< 4i + 4` of the digest, read little endian, which is also how ketama
/// makes positions of them.
struct MD5Digest: Equatable {
    /// The state of section 3.3, and at the end the digest.
    var words: (a: UInt32, b: UInt32, c: UInt32, d: UInt32)

    /// Digests `message`; about 120 ns for every 64 bytes or part of it, and no allocation.
    init(of message: RawSpan) {
        words = (0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476)
        var start = 0
        while message.byteCount &- start >= Self.blockBytes {
            absorb(Self.block(of: message, at: start, wordCount: 16))
            start &+= Self.blockBytes
        }
        absorbTail(of: message, from: start)
    }

    static func == (lhs: MD5Digest, rhs: MD5Digest) -> Bool {
        lhs.words == rhs.words
    }
}

extension MD5Digest {
    /// Sixteen words of 4 bytes: what one step of the digest takes in.
    private typealias Block = InlineArray<16, UInt32>

    private static let blockBytes = 64
    /// Where the message's length stands in its last block, in bytes and as a word (section 3.2).
    private static let lengthOffset = 56
    private static let lengthWord = 14

    /// The words of `message` from byte `start` on, zeros after `wordCount` of them.
    @inline(__always)
    private static func block(of message: RawSpan, at start: Int, wordCount: Int) -> Block {
        var block = Block(repeating: 0)
        for index in 0..<wordCount {
            let word = message.unsafeLoadUnaligned(
                fromByteOffset: start &+ index &* 4, as: UInt32.self)
            block[index] = UInt32(littleEndian: word)
        }
        return block
    }

    /// What is left after the whole blocks, a 1 bit, zeros, and the length in bits (3.1 and 3.2).
    @inline(__always)
    private mutating func absorbTail(of message: RawSpan, from start: Int) {
        let count = message.byteCount &- start
        var block = Self.block(of: message, at: start, wordCount: count >> 2)
        for offset in (count & ~3)..<count {
            let byte = message.unsafeLoad(fromByteOffset: start &+ offset, as: UInt8.self)
            block[offset >> 2] |= UInt32(byte) &<< (UInt32(offset & 3) &* 8)
        }
        block[count >> 2] |= 0x80 &<< (UInt32(count & 3) &* 8)
        if count >= Self.lengthOffset {
            absorb(block)
            block = Block(repeating: 0)
        }
        let bits = UInt64(message.byteCount) &* 8
        block[Self.lengthWord] = UInt32(truncatingIfNeeded: bits)
        block[Self.lengthWord + 1] = UInt32(truncatingIfNeeded: bits >> 32)
        absorb(block)
    }

    /// Takes in one block (section 3.4).
    private mutating func absorb(_ block: Block) {
        let before = words
        firstRound(block)
        secondRound(block)
        thirdRound(block)
        fourthRound(block)
        words.a &+= before.a
        words.b &+= before.b
        words.c &+= before.c
        words.d &+= before.d
    }
}

// The 64 operations, as section 3.4 lists them: [abcd k s i], with T[i] = floor(2^32 |sin i|)
// written out. Every round goes through the block in an order of its own.
extension MD5Digest {
    /// a = b + ((a + mix + X[k] + T[i]) <<< s), with `mix` the round's function of b, c and d.
    @inline(__always)
    private static func operation(
        _ a: inout UInt32, _ b: UInt32, _ mix: UInt32, _ word: UInt32, _ shift: UInt32,
        _ constant: UInt32
    ) {
        let sum = a &+ mix &+ word &+ constant
        a = b &+ (sum &<< shift | sum &>> (32 &- shift))
    }

    /// F(b, c, d) = bc | ~b d: b chooses between c and d.
    @inline(__always)
    private mutating func firstRound(_ block: Block) {
        var (a, b, c, d) = words
        Self.operation(&a, b, b & c | ~b & d, block[0], 7, 0xD76A_A478)
        Self.operation(&d, a, a & b | ~a & c, block[1], 12, 0xE8C7_B756)
        Self.operation(&c, d, d & a | ~d & b, block[2], 17, 0x2420_70DB)
        Self.operation(&b, c, c & d | ~c & a, block[3], 22, 0xC1BD_CEEE)
        Self.operation(&a, b, b & c | ~b & d, block[4], 7, 0xF57C_0FAF)
        Self.operation(&d, a, a & b | ~a & c, block[5], 12, 0x4787_C62A)
        Self.operation(&c, d, d & a | ~d & b, block[6], 17, 0xA830_4613)
        Self.operation(&b, c, c & d | ~c & a, block[7], 22, 0xFD46_9501)
        Self.operation(&a, b, b & c | ~b & d, block[8], 7, 0x6980_98D8)
        Self.operation(&d, a, a & b | ~a & c, block[9], 12, 0x8B44_F7AF)
        Self.operation(&c, d, d & a | ~d & b, block[10], 17, 0xFFFF_5BB1)
        Self.operation(&b, c, c & d | ~c & a, block[11], 22, 0x895C_D7BE)
        Self.operation(&a, b, b & c | ~b & d, block[12], 7, 0x6B90_1122)
        Self.operation(&d, a, a & b | ~a & c, block[13], 12, 0xFD98_7193)
        Self.operation(&c, d, d & a | ~d & b, block[14], 17, 0xA679_438E)
        Self.operation(&b, c, c & d | ~c & a, block[15], 22, 0x49B4_0821)
        words = (a, b, c, d)
    }

    /// G(b, c, d) = bd | c ~d: d chooses between b and c.
    @inline(__always)
    private mutating func secondRound(_ block: Block) {
        var (a, b, c, d) = words
        Self.operation(&a, b, b & d | c & ~d, block[1], 5, 0xF61E_2562)
        Self.operation(&d, a, a & c | b & ~c, block[6], 9, 0xC040_B340)
        Self.operation(&c, d, d & b | a & ~b, block[11], 14, 0x265E_5A51)
        Self.operation(&b, c, c & a | d & ~a, block[0], 20, 0xE9B6_C7AA)
        Self.operation(&a, b, b & d | c & ~d, block[5], 5, 0xD62F_105D)
        Self.operation(&d, a, a & c | b & ~c, block[10], 9, 0x0244_1453)
        Self.operation(&c, d, d & b | a & ~b, block[15], 14, 0xD8A1_E681)
        Self.operation(&b, c, c & a | d & ~a, block[4], 20, 0xE7D3_FBC8)
        Self.operation(&a, b, b & d | c & ~d, block[9], 5, 0x21E1_CDE6)
        Self.operation(&d, a, a & c | b & ~c, block[14], 9, 0xC337_07D6)
        Self.operation(&c, d, d & b | a & ~b, block[3], 14, 0xF4D5_0D87)
        Self.operation(&b, c, c & a | d & ~a, block[8], 20, 0x455A_14ED)
        Self.operation(&a, b, b & d | c & ~d, block[13], 5, 0xA9E3_E905)
        Self.operation(&d, a, a & c | b & ~c, block[2], 9, 0xFCEF_A3F8)
        Self.operation(&c, d, d & b | a & ~b, block[7], 14, 0x676F_02D9)
        Self.operation(&b, c, c & a | d & ~a, block[12], 20, 0x8D2A_4C8A)
        words = (a, b, c, d)
    }

    /// H(b, c, d) = b ^ c ^ d.
    @inline(__always)
    private mutating func thirdRound(_ block: Block) {
        var (a, b, c, d) = words
        Self.operation(&a, b, b ^ c ^ d, block[5], 4, 0xFFFA_3942)
        Self.operation(&d, a, a ^ b ^ c, block[8], 11, 0x8771_F681)
        Self.operation(&c, d, d ^ a ^ b, block[11], 16, 0x6D9D_6122)
        Self.operation(&b, c, c ^ d ^ a, block[14], 23, 0xFDE5_380C)
        Self.operation(&a, b, b ^ c ^ d, block[1], 4, 0xA4BE_EA44)
        Self.operation(&d, a, a ^ b ^ c, block[4], 11, 0x4BDE_CFA9)
        Self.operation(&c, d, d ^ a ^ b, block[7], 16, 0xF6BB_4B60)
        Self.operation(&b, c, c ^ d ^ a, block[10], 23, 0xBEBF_BC70)
        Self.operation(&a, b, b ^ c ^ d, block[13], 4, 0x289B_7EC6)
        Self.operation(&d, a, a ^ b ^ c, block[0], 11, 0xEAA1_27FA)
        Self.operation(&c, d, d ^ a ^ b, block[3], 16, 0xD4EF_3085)
        Self.operation(&b, c, c ^ d ^ a, block[6], 23, 0x0488_1D05)
        Self.operation(&a, b, b ^ c ^ d, block[9], 4, 0xD9D4_D039)
        Self.operation(&d, a, a ^ b ^ c, block[12], 11, 0xE6DB_99E5)
        Self.operation(&c, d, d ^ a ^ b, block[15], 16, 0x1FA2_7CF8)
        Self.operation(&b, c, c ^ d ^ a, block[2], 23, 0xC4AC_5665)
        words = (a, b, c, d)
    }

    /// I(b, c, d) = c ^ (b | ~d).
    @inline(__always)
    private mutating func fourthRound(_ block: Block) {
        var (a, b, c, d) = words
        Self.operation(&a, b, c ^ (b | ~d), block[0], 6, 0xF429_2244)
        Self.operation(&d, a, b ^ (a | ~c), block[7], 10, 0x432A_FF97)
        Self.operation(&c, d, a ^ (d | ~b), block[14], 15, 0xAB94_23A7)
        Self.operation(&b, c, d ^ (c | ~a), block[5], 21, 0xFC93_A039)
        Self.operation(&a, b, c ^ (b | ~d), block[12], 6, 0x655B_59C3)
        Self.operation(&d, a, b ^ (a | ~c), block[3], 10, 0x8F0C_CC92)
        Self.operation(&c, d, a ^ (d | ~b), block[10], 15, 0xFFEF_F47D)
        Self.operation(&b, c, d ^ (c | ~a), block[1], 21, 0x8584_5DD1)
        Self.operation(&a, b, c ^ (b | ~d), block[8], 6, 0x6FA8_7E4F)
        Self.operation(&d, a, b ^ (a | ~c), block[15], 10, 0xFE2C_E6E0)
        Self.operation(&c, d, a ^ (d | ~b), block[6], 15, 0xA301_4314)
        Self.operation(&b, c, d ^ (c | ~a), block[13], 21, 0x4E08_11A1)
        Self.operation(&a, b, c ^ (b | ~d), block[4], 6, 0xF753_7E82)
        Self.operation(&d, a, b ^ (a | ~c), block[11], 10, 0xBD3A_F235)
        Self.operation(&c, d, a ^ (d | ~b), block[2], 15, 0x2AD7_D2BB)
        Self.operation(&b, c, d ^ (c | ~a), block[9], 21, 0xEB86_D391)
        words = (a, b, c, d)
    }
}
