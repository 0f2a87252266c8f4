import Primitives
import Testing

@testable import CacheNode

@Suite struct PeerFrameTests {
    private func encoded(_ frame: PeerFrame) -> [UInt8] {
        var writer = ByteWriter(capacity: 1)
        frame.encode(into: &writer)
        return Array(writer.unsafeBytes)
    }

    @Test func aHeaderReadsBackAsItWasWritten() {
        for kind in 1...8 {
            guard let kind = PeerFrame.Kind(rawValue: UInt8(kind)) else { continue }
            let frame = PeerFrame(
                kind, payloadCount: 1_234_567, identifier: .max - 3, epoch: 1 << 40,
                deadline: Instant(nanoseconds: -5))
            let bytes = encoded(frame)
            #expect(bytes.count == PeerFrame.headerBytes)
            let read = bytes.withUnsafeBytes { $0.baseAddress.flatMap { PeerFrame(at: $0) } }
            #expect(read == frame)
        }
    }

    @Test func theBytesAreLittleEndianInAFixedOrder() {
        let bytes = encoded(
            PeerFrame(
                .request, payloadCount: 0x0102, identifier: 3, epoch: 4,
                deadline: Instant(nanoseconds: 5)))
        let expected: [UInt8] =
            [2, 1, 0, 0, 4, 0, 2, 0] + [3, 0, 0, 0, 0, 0, 0, 0] + [4, 0, 0, 0, 0, 0, 0, 0]
            + [5, 0, 0, 0, 0, 0, 0, 0]
        #expect(bytes == expected)
    }

    @Test func whatNoNodeSendsIsNoHeader() {
        for (position, byte) in [(4, UInt8(0)), (4, 9), (5, 1), (3, 0xFF)] {
            var bytes = encoded(PeerFrame(.reply, payloadCount: 1, identifier: 1, epoch: 1))
            bytes[position] = byte
            let read = bytes.withUnsafeBytes { $0.baseAddress.flatMap { PeerFrame(at: $0) } }
            #expect(read == nil, "byte \(position) is \(byte)")
        }
        let text = Array("get a\r\nget b\r\nget c\r\nget d\r\nget e\r\n".utf8)
        #expect(text.withUnsafeBytes { $0.baseAddress.flatMap { PeerFrame(at: $0) } } == nil)
    }

    @Test func aGreetingReadsBackAndNothingElseIsOne() {
        let greeting = PeerGreeting(
            cluster: 7, life: .max, purpose: .control, nonce: Array(1...16), name: "north-1")
        let bytes = greeting.encoded
        #expect(bytes.withUnsafeBytes { PeerGreeting($0) } == greeting)
        #expect(bytes.prefix(41).withUnsafeBytes { PeerGreeting($0) } == nil, "no name")
        var purpose = bytes
        purpose[24] = 3
        #expect(purpose.withUnsafeBytes { PeerGreeting($0) } == nil, "other purpose")
        var other = bytes
        other[0] = 0
        #expect(other.withUnsafeBytes { PeerGreeting($0) } == nil, "other magic")
        let long = bytes + Array(repeating: 65, count: 300)
        #expect(long.withUnsafeBytes { PeerGreeting($0) } == nil, "too long")
    }

    @Test func onlyWhoHasTheKeyCanGreet() throws {
        let key = try #require(ClusterKey(Array(repeating: 7, count: 32)))
        let other = try #require(ClusterKey(Array(repeating: 8, count: 32)))
        let greeting = PeerGreeting(
            cluster: 1, life: 2, purpose: .data, nonce: Array(1...16), name: "n")
        let nonce = ClusterKey.randomBytes(PeerGreeting.nonceBytes)
        let challenge = PeerChallenge.make(greeting, key, nonce: nonce)
        func proof(_ challenge: [UInt8], _ key: ClusterKey) -> [UInt8]? {
            challenge.withUnsafeBytes { PeerChallenge.proof($0, greeting, key) }
        }
        let text = greeting.text(for: .caller, listenerNonce: nonce)
        #expect(proof(challenge, key).map { key.isCode($0, of: text) } == true)
        #expect(proof(challenge, other) == nil && proof(challenge, .none) == nil)
        #expect(proof(Array(challenge.dropLast()), key) == nil)
        #expect(!key.isCode(challenge.dropFirst(16), of: text), "a code is good for one side only")
    }

    @Test func whatIsSealedOpensUnderItsKeyOnly() throws {
        let key = try #require(ClusterKey(Array(repeating: 7, count: 32)))
        let other = try #require(ClusterKey(Array(repeating: 8, count: 32)))
        for count in [0, 1, 15, 16, 1_000] {
            let text = [UInt8](repeating: 3, count: count)
            let sealed = key.seal(text)
            #expect(sealed.count == count + ClusterKey.overheadBytes)
            #expect(key.open(sealed[...]) == text)
            #expect(key.seal(text) != sealed, "a nonce is never used twice")
            #expect(other.open(sealed[...]) == nil && ClusterKey.none.open(sealed[...]) == nil)
            #expect(key.open(ClusterKey.none.seal(text)[...]) == nil, "not sealed at all")
            for position in sealed.indices {
                var changed = sealed
                changed[position] ^= 1
                #expect(key.open(changed[...]) == nil, "byte \(position) of \(sealed.count)")
            }
            for short in 0..<sealed.count { #expect(key.open(sealed[..<short]) == nil) }
        }
        #expect(ClusterKey.none.open(ClusterKey.none.seal([1, 2])[...]) == [1, 2])
    }
}
