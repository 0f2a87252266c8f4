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
        for kind in 1...7 {
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
            [2, 1, 0, 0, 4, 0, 1, 0] + [3, 0, 0, 0, 0, 0, 0, 0] + [4, 0, 0, 0, 0, 0, 0, 0]
            + [5, 0, 0, 0, 0, 0, 0, 0]
        #expect(bytes == expected)
    }

    @Test func whatNoNodeSendsIsNoHeader() {
        for (position, byte) in [(4, UInt8(0)), (4, 8), (5, 1), (3, 0xFF)] {
            var bytes = encoded(PeerFrame(.reply, payloadCount: 1, identifier: 1, epoch: 1))
            bytes[position] = byte
            let read = bytes.withUnsafeBytes { $0.baseAddress.flatMap { PeerFrame(at: $0) } }
            #expect(read == nil, "byte \(position) is \(byte)")
        }
        let text = Array("get a\r\nget b\r\nget c\r\nget d\r\nget e\r\n".utf8)
        #expect(text.withUnsafeBytes { $0.baseAddress.flatMap { PeerFrame(at: $0) } } == nil)
    }

    @Test func aGreetingReadsBackAndNothingElseIsOne() {
        let greeting = PeerGreeting(cluster: 7, incarnation: .max, name: "north-1")
        let bytes = greeting.encoded
        #expect(bytes.withUnsafeBytes { PeerGreeting($0) } == greeting)
        #expect(bytes.prefix(24).withUnsafeBytes { PeerGreeting($0) } == nil, "no name")
        var other = bytes
        other[0] = 0
        #expect(other.withUnsafeBytes { PeerGreeting($0) } == nil, "other magic")
        let long = bytes + Array(repeating: 65, count: 300)
        #expect(long.withUnsafeBytes { PeerGreeting($0) } == nil, "too long")
    }

    @Test func aDescriptionOfAClusterNamesItsOwners() throws {
        let text = """
            cluster 9 3
            node a 127.0.0.1 1001 1
            node b 127.0.0.1 1002 3
            node c 127.0.0.1 1003 0
            """
        let cluster = try #require(StaticCluster(parsing: text, name: "c"))
        #expect(cluster.own == 2 && cluster.epoch == 3 && cluster.identifier == 9)
        let table = cluster.ownerTable
        #expect(table.count { $0 == 0 } == 1024)
        #expect(table.count { $0 == 1 } == 3072)
        #expect(StaticCluster(parsing: text, name: "d") == nil, "no member d")
        #expect(StaticCluster(parsing: text + "\nnode e 127.0.0.1 0 1", name: "a") == nil)
        #expect(StaticCluster(parsing: "cluster 1 1\nnode a h 1 0", name: "a") == nil, "no owner")
    }
}
