// What nodes of a cluster know and others do not: it seals gossip and proves who calls.
internal import COpenSSL
internal import Glibc

/// A cluster's secret of 32 bytes, or the lack of one among loopback addresses.
public struct ClusterKey: Equatable, Sendable {
    /// Bytes of a key.
    public static let byteCount = 32

    /// The key; empty where the cluster has none.
    private let bytes: [UInt8]

    /// A cluster without a secret: whoever reaches its ports belongs to it.
    public static let none = ClusterKey(bytes: [])

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// A key of 32 bytes.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.init(bytes: bytes)
    }

    /// Whether there is none.
    public var isNone: Bool { bytes.isEmpty }

    /// Reads a key from a file that only its owner may read: 32 bytes in base64 or as 64
    /// hexadecimal digits.
    ///
    /// - Throws: ``NodeError/badKeyFile(path:reason:)``.
    public init(file path: String) throws(NodeError) {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw .badKeyFile(path: path, reason: "it cannot be opened: \(NodeError.text(errno))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & 0o077 == 0 else {
            throw .badKeyFile(path: path, reason: "others may read it: chmod 600 \(path)")
        }
        var text = [UInt8](repeating: 0, count: 256)
        let count = read(descriptor, &text, text.count)
        let words = text.prefix(max(0, count)).split { $0 <= UInt8(ascii: " ") }
        guard words.count == 1, let word = words.first,
            let bytes = Self.hexadecimal(word) ?? Self.base64(word), bytes.count == Self.byteCount
        else {
            throw .badKeyFile(
                path: path,
                reason: "it holds no 32 bytes in base64 or hexadecimal: `head -c 32 /dev/urandom |"
                    + " base64` makes some")
        }
        self.init(bytes: bytes)
    }

    private static func hexadecimal(_ word: ArraySlice<UInt8>) -> [UInt8]? {
        guard word.count == 2 * byteCount else { return nil }
        let digits = word.map { Character(UnicodeScalar($0)).hexDigitValue }
        guard !digits.contains(nil) else { return nil }
        let values = digits.compactMap { $0 }
        return stride(from: 0, to: values.count, by: 2).map {
            UInt8(values[$0] << 4 | values[$0 + 1])
        }
    }

    private static func base64(_ word: ArraySlice<UInt8>) -> [UInt8]? {
        let alphabet = Array(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var (bits, count, bytes) = (0, 0, [UInt8]())
        for character in word where character != UInt8(ascii: "=") {
            guard let value = alphabet.firstIndex(of: character) else { return nil }
            bits = (bits << 6 | value) & 0xFFFF
            count += 6
            guard count >= 8 else { continue }
            count -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> count))
        }
        return bytes
    }
}

// Sealing: one byte that says how, then a nonce, the text and a tag.
extension ClusterKey {
    private static let plain: UInt8 = 1
    private static let sealed: UInt8 = 2
    private static let nonceBytes = 12
    private static let tagBytes = 16
    /// Bytes that sealing adds, at most.
    static let overheadBytes = 1 + nonceBytes + tagBytes
    /// What is sealed for one purpose opens for no other.
    private static let context: [UInt8] = Array("kiln control 1".utf8)

    /// Bytes that only who has the key can read, or change without being found out.
    func seal(_ text: [UInt8]) -> [UInt8] {
        guard !isNone else { return [Self.plain] + text }
        var output = [UInt8](repeating: 0, count: text.count + Self.overheadBytes)
        output[0] = Self.sealed
        // Random nonces of 96 bits: 2^32 messages under one key before a repetition is as likely
        // as 2^-32 (NIST SP 800-38D, section 8.3).
        let isSealed = output.withUnsafeMutableBytes { bytes in
            let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            guard let nonce = start.map({ $0 + 1 }), kiln_random(nonce, 12) == 1 else {
                return false
            }
            let content = nonce + Self.nonceBytes
            return kiln_seal(
                self.bytes, nonce, Self.context, Int32(Self.context.count), text,
                Int32(text.count), content, content + text.count) == 1
        }
        precondition(isSealed, "the system has no random bytes, or libcrypto no AES-256-GCM")
        return output
    }

    /// What was sealed; nil where it was not sealed under this key, or changed since.
    func open(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        guard let kind = bytes.first else { return nil }
        if isNone { return kind == Self.plain ? Array(bytes.dropFirst()) : nil }
        guard kind == Self.sealed, bytes.count >= Self.overheadBytes else { return nil }
        let count = bytes.count - Self.overheadBytes
        var text = [UInt8](repeating: 0, count: max(1, count))
        let isOpen = bytes.withUnsafeBufferPointer { input in
            guard let start = input.baseAddress else { return false }
            let nonce = start + 1
            let content = nonce + Self.nonceBytes
            return kiln_open(
                self.bytes, nonce, Self.context, Int32(Self.context.count), content,
                Int32(count), content + count, &text) == 1
        }
        return isOpen ? Array(text.prefix(count)) : nil
    }

    /// A code that only who has the key can make.
    func code(of text: [UInt8]) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: 32)
        precondition(kiln_hmac(bytes, Int32(bytes.count), text, UInt(text.count), &code) == 1)
        return code
    }

    /// Whether `code` is that of `text`; takes equally long for every wrong one.
    func isCode(_ code: some Collection<UInt8>, of text: [UInt8]) -> Bool {
        let right = self.code(of: text)
        let given = Array(code)
        return given.count == right.count && kiln_same_bytes(given, right, UInt(right.count)) == 1
    }

    /// Bytes that nobody can guess.
    static func randomBytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        precondition(kiln_random(&bytes, Int32(count)) == 1, "the system has no random bytes")
        return bytes
    }
}
