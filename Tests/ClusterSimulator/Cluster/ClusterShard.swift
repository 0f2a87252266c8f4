// A shard of a simulated node, on memory that goes with its process.

import DataPlane
import MemcacheProtocol
import Primitives
import Storage
import Synchronization

/// What the observer finds under a key.
struct StoredValue: Equatable {
    var value: String
    var version: UInt64
}

/// One shard with its memory.
final class ClusterShard {
    /// Segments are as small as they may be, and few: some hundred small items.
    private static let segmentBytes = 1 << 15
    private static let slots = 8
    private static let indexBytes = 1 << 14

    /// The pool behind the store.
    private final class Pool: Sendable {
        let pool = Mutex(
            SegmentPool(
                limitBytes: segmentBytes * slots, segmentBytes: segmentBytes, slotCount: slots,
                shardCount: 1))

        var source: SegmentSource {
            SegmentSource(
                acquire: { count in self.pool.withLock { $0.acquire(count, shard: 0) } },
                release: { first, count in
                    self.pool.withLock { $0.release(first, count: count, shard: 0) }
                },
                charge: { bytes in self.pool.withLock { $0.charge(bytes) } },
                isOvercommitted: { self.pool.withLock { $0.isOvercommitted } })
        }
    }

    private var shard: ShardInstance
    private var reply = ReplyBuffer(capacity: 256)
    private let parser = RequestParser(limits: ProtocolLimits(valueBytes: 1 << 10))
    private let memory: [UnsafeMutableRawPointer]

    init(index: Int) {
        let sizes = [
            Self.segmentBytes * (Self.slots + 1), 64 * (Self.slots + 1), Self.indexBytes,
            Self.indexBytes, 64,
        ]
        memory = sizes.map { size in
            let bytes = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
            bytes.initializeMemory(as: UInt8.self, repeating: 0, count: size)
            return bytes
        }
        let addresses = memory.map { UInt(bitPattern: $0) }
        let store = Store(
            configuration: StoreConfiguration(
                segmentBytes: Self.segmentBytes, itemSizeLimit: 1 << 10, secret: 7, evicts: true),
            memory: StoreMemory(
                segments: addresses[0], infos: addresses[1], index: addresses[2],
                indexBytes: Self.indexBytes, overflow: addresses[3],
                overflowBytes: Self.indexBytes, geometry: addresses[4]),
            source: Pool().source)
        shard = ShardInstance(store: store, epoch: 0, index: index)
    }

    deinit {
        for bytes in memory { bytes.deallocate() }
    }

    var epoch: UInt64 { shard.epoch }

    /// Mints versions in `epoch` from now on, if that is newer.
    func adopt(_ epoch: UInt64) {
        if epoch > shard.epoch { shard.adopt(epoch: epoch) }
    }

    /// Runs one command as its bytes say; the reply as a client gets it, empty where it wants none.
    func run(_ text: [UInt8], key: [UInt8], floor: Version, at now: ClockReading) -> [UInt8] {
        let line = text.span.bytes
        var command = Command(verb: .quit, lineCount: 0)
        guard parser.parse(line, from: 0, into: &command) == .complete else {
            preconditionFailure("a client said \(String(decoding: text, as: UTF8.self))")
        }
        let word = key.span.bytes
        shard.setFloor(floor)
        switch command.verb {
        case .get, .gets:
            shard.retrieve(
                command.verb, key: word, hash: KeyHash(of: word), exptime: 0, at: now,
                reply: &reply)
            reply.bytes.append(ReplyText.end)
        default:
            shard.execute(
                command, line: line, key: word, hash: KeyHash(of: word),
                value: line.extracting(
                    command.lineCount..<command.lineCount + command.valueCount),
                at: now, reply: &reply)
        }
        return sent()
    }

    /// What lies under `key`.
    func peek(_ key: [UInt8], floor: Version, at now: ClockReading) -> StoredValue? {
        let word = key.span.bytes
        shard.setFloor(floor)
        shard.retrieve(
            .gets, key: word, hash: KeyHash(of: word), exptime: 0, at: now, reply: &reply)
        return ClusterReply.hit(sent())
    }

    private func sent() -> [UInt8] {
        precondition(reply.splices.isEmpty, "values here are small")
        let bytes = Array(reply.bytes.unsafeBytes)
        reply.removeAll()
        return bytes
    }
}
