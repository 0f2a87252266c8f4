// MD5 against the vectors of RFC 1321 and, at every length where its padding changes, md5sum.
import Testing

@testable import Placement

/// The digest of `text` as everyone prints it.
private func digest(of text: String) -> String {
    let words = MD5Digest(of: Array(text.utf8).span.bytes).words
    return hexadecimal(
        [words.a, words.b, words.c, words.d].flatMap { word in
            (0..<4).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) }
        })
}

@Test(
    "the test suite of RFC 1321, appendix A.5",
    arguments: [
        ("", "d41d8cd98f00b204e9800998ecf8427e"),
        ("a", "0cc175b9c0f1b6a831c399e269772661"),
        ("abc", "900150983cd24fb0d6963f7d28e17f72"),
        ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
        ("abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"),
        (
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
            "d174ab98d277d9f5a5611c2c9f419d9f"
        ),
        (
            "1234567890123456789012345678901234567890"
                + "1234567890123456789012345678901234567890",
            "57edf4a22be3c955ac49da2e2107b67a"
        ),
    ])
func rfcVector(text: String, expected: String) {
    #expect(digest(of: text) == expected)
}

/// What `head -c N /dev/zero | tr '\0' x | md5sum` prints.
@Test(
    "messages that end just before, at and after the padding's limits",
    arguments: [
        (3, "f561aaf6ef0bf14d4208bb46a4ccb3ad"),
        (4, "ea416ed0759d46a8de58f63a59077499"),
        (54, "61ea0974c662328da964d977a8253873"),
        (55, "04364420e25c512fd958a70738aa8f72"),
        (56, "668a72d5ba17f08e62dabcafad6db14b"),
        (57, "693037871c4a9d3d8685018905cb530a"),
        (63, "7dc2ca208106a2f703567bdff99d8981"),
        (64, "c1bb4f81d892b2d57947682aeb252456"),
        (65, "1bc932052302d074bdec39795fe00cf6"),
        (119, "ab347a5f68c8a443cfcddc633f12c24f"),
        (120, "fb98667f98096de92620b64f46e1c5b5"),
        (128, "d69cb61a6ee87200676eb0d4b90edbcb"),
        (250, "79c1514b2407bf4708dfb8ef4b6827d5"),
        (1000, "398533d48111e9f664b1f64cb10c4b63"),
    ])
func padding(length: Int, expected: String) {
    #expect(digest(of: String(repeating: "x", count: length)) == expected)
}
