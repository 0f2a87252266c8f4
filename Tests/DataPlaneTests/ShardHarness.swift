// A shard on real storage, driven by command bytes and a clock that tests move.
import DataPlane
import Glibc
import MemcacheProtocol
import Primitives
import Storage
import Synchronization

/// The pool behind a test's store.
private final class TestPool: Sendable {
    let pool: Mutex<SegmentPool>

    init(_ pool: SegmentPool) { self.pool = Mutex(pool) }

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

/// One shard, its memory and its clock.
///
/// Versions are minted in epoch 0, so that CAS numbers count from 1.
final class ShardHarness {
    var shard: ShardInstance
    var now = ClockReading(instant: Instant(nanoseconds: 5_000_000_000), unixSeconds: 1_800_000_000)
    private var reply = ReplyBuffer(capacity: 64)
    private let parser: RequestParser
    private let memory: [UnsafeMutableRawPointer]

    init(
        slots: Int = 128, itemSizeLimit: Int = 1 << 20, evicts: Bool = true, counter: UInt64 = 0
    ) {
        let segmentBytes = 1 << 15
        let sizes = [segmentBytes * (slots + 1), 64 * (slots + 1), 1 << 20, 1 << 20, 64]
        memory = sizes.map { size in
            guard let bytes = calloc(size, 1) else { preconditionFailure("no memory for a test") }
            return bytes
        }
        let addresses = memory.map { UInt(bitPattern: $0) }
        let pool = SegmentPool(
            limitBytes: segmentBytes * slots, segmentBytes: segmentBytes, slotCount: slots,
            shardCount: 1)
        let store = Store(
            configuration: StoreConfiguration(
                segmentBytes: segmentBytes, itemSizeLimit: itemSizeLimit, secret: 7,
                evicts: evicts),
            memory: StoreMemory(
                segments: addresses[0], infos: addresses[1], index: addresses[2],
                indexBytes: 1 << 20, overflow: addresses[3], overflowBytes: 1 << 20,
                geometry: addresses[4]),
            source: TestPool(pool).source)
        shard = ShardInstance(store: store, epoch: 0, counter: counter)
        parser = RequestParser(limits: ProtocolLimits(valueBytes: itemSizeLimit))
    }

    deinit {
        for bytes in memory { free(bytes) }
    }

    var counters: ShardCounters { shard.counters }
    var statistics: StoreStatistics { shard.store.statistics }
    var events: [WatchEvent] { shard.events.events }
    var droppedEvents: UInt64 { shard.events.dropped }
    var needsEpoch: Bool { shard.needsEpoch }
    var counter: UInt64 { shard.counter }

    /// Moves both clocks.
    func advance(seconds: Double) {
        now.instant.nanoseconds += Int64(seconds * 1_000_000_000)
        now.unixSeconds += Int64(seconds)
    }

    /// Runs the commands in `text` and answers what would be sent.
    func run(_ text: String) -> String {
        let bytes = Array(text.utf8)
        let span = bytes.span.bytes
        var position = 0
        while position < span.byteCount {
            var command = Command(verb: .quit, lineCount: 0)
            switch parser.parse(span, from: position, into: &command) {
            case .complete:
                let lineEnd = position + command.lineCount
                execute(command, line: span, value: lineEnd..<lineEnd + command.valueCount)
                position = lineEnd + (command.hasValue ? command.valueCount + 2 : 0)
            case .needMore:
                return sent() + "<needs more>"
            case .failed(let error):
                if !command.noreply {
                    reply.bytes.append(error.reply)
                    reply.bytes.append("\r\n")
                }
                position += command.lineCount
                if error.swallowsValue { position += command.valueCount + 2 }
                if error.closes { return sent() + "<closed>" }
            }
        }
        return sent()
    }

    private func execute(_ command: Command, line: RawSpan, value: Range<Int>) {
        switch command.verb {
        case .get, .gets, .gat, .gats:
            var keys = KeyList(command)
            while let range = keys.next(in: line) {
                let key = line.extracting(range)
                shard.retrieve(
                    command.verb, key: key, hash: KeyHash(of: key), exptime: command.exptime,
                    at: now, reply: &reply)
            }
            reply.bytes.append(ReplyText.end)
        case .flushAll:
            shard.flush(at: now)
            reply.bytes.append(ReplyText.ok)
        default:
            withKey(of: command, in: line) { key in
                shard.execute(
                    command, line: line, key: key, hash: KeyHash(of: key),
                    value: line.extracting(value), at: now, reply: &reply)
            }
        }
    }

    /// Calls `body` with the key of `command`, decoded where it came in base64.
    private func withKey(of command: Command, in line: RawSpan, _ body: (RawSpan) -> Void) {
        guard command.meta.keyIsBase64 else { return body(line.extracting(command.key)) }
        var decoded = [UInt8](repeating: 0, count: 256)
        let count = decoded.withUnsafeMutableBytes {
            Base64.decode(line.extracting(command.key), into: $0) ?? 0
        }
        body(decoded.span.bytes.extracting(0..<count))
    }

    /// Stores a value in the way of one that doesn't fit the connection's buffer.
    ///
    /// - Parameters:
    ///   - line: The command line, without its line end.
    ///   - value: The data block.
    ///   - abandon: Whether the connection goes away when the value has arrived.
    ///   - meanwhile: Runs when the value has arrived and before it is stored.
    /// - Returns: The reply, and whether the upload was accepted.
    func upload(
        _ line: String, _ value: [UInt8], abandon: Bool = false, meanwhile: () -> Void = {}
    ) -> (reply: String, accepted: Bool) {
        let bytes = Array((line + "\r\n").utf8)
        let span = bytes.span.bytes
        var command = Command(verb: .quit, lineCount: 0)
        guard parser.parse(span, from: 0, into: &command) == .complete else {
            return ("<not a command>", false)
        }
        let key = span.extracting(command.key)
        let hash = KeyHash(of: key)
        guard
            let upload = shard.beginUpload(
                command, line: span, key: key, hash: hash, at: now, reply: &reply)
        else { return (sent(), false) }
        upload.destination.copyBytes(from: value)
        meanwhile()
        if abandon {
            shard.abandonUpload(upload)
        } else {
            shard.finishUpload(
                upload, command, line: span, key: key, hash: hash, at: now, reply: &reply)
        }
        return (sent(), true)
    }

    /// Takes the reply as a connection would: bytes and spliced values in order, pins given back.
    func sent() -> String {
        var all: [UInt8] = []
        var position = 0
        for splice in reply.splices {
            all += reply.bytes.unsafeBytes[position..<splice.offset]
            all += splice.value.bytes
            position = splice.offset
            shard.unpin(splice.value.token)
        }
        all += reply.bytes.unsafeBytes[position...]
        precondition(all.count == reply.count, "the buffer's count is wrong")
        reply.removeAll()
        return String(decoding: all, as: UTF8.self)
    }

    /// Splices that ``run(_:)`` would leave when nothing was sent yet.
    func spliceCount(of commands: String) -> Int {
        let bytes = Array(commands.utf8)
        var command = Command(verb: .quit, lineCount: 0)
        guard parser.parse(bytes.span.bytes, from: 0, into: &command) == .complete else {
            return -1
        }
        execute(command, line: bytes.span.bytes, value: 0..<0)
        return reply.splices.count
    }
}

extension Command {
    var hasValue: Bool {
        switch verb {
        case .set, .add, .replace, .append, .prepend, .cas, .metaSet: true
        default: false
        }
    }
}
