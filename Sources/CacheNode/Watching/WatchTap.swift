// Where a loop collects the lines of a turn for watchers.
internal import DataPlane
internal import MemcacheProtocol
internal import Primitives
internal import Storage
internal import Synchronization

/// Why a connection ended, in memcached's words.
enum CloseReason {
    case normal, error, idleTimeout, shutdown

    var word: StaticString {
        switch self {
        case .normal: "normal"
        case .error: "error"
        case .idleTimeout: "idle_timeout"
        case .shutdown: "shutdown"
        }
    }
}

/// Takes what shards and connections note for watchers, while there are any.
struct WatchTap: ~Copyable {
    /// Bytes of lines per turn; events on top are dropped and counted.
    static let limitBytes = 256 << 10

    /// The lines' kinds, and where each ends in ``text``.
    private(set) var lines: [(kind: WatchInterest, end: Int)] = []
    private(set) var text = ByteWriter(capacity: 256)
    private let hub: WatchHub
    private let prefixes: PrefixStatistics

    init(_ hub: WatchHub, _ prefixes: PrefixStatistics) {
        self.hub = hub
        self.prefixes = prefixes
    }

    var isEmpty: Bool { lines.isEmpty }

    mutating func removeAll() {
        lines.removeAll(keepingCapacity: true)
        text.removeAll()
    }

    /// Takes the events of the command that has just run on `shard`, whose lock is held.
    mutating func take(
        _ shard: inout ShardInstance, _ verb: Verb, _ key: UnsafeRawBufferPointer,
        descriptor: Int32,
        at now: ClockReading
    ) {
        if prefixes.isEnabled {
            let wasFound = shard.events.events.first.map { $0.slabClass != 0 } ?? false
            prefixes.note(verb, key, wasFound: wasFound)
        }
        let interests = hub.interests
        if !interests.isEmpty {
            for event in shard.events.events {
                let kind = WatchInterest(event.kind.mask)
                guard interests.contains(kind), begin() else { continue }
                shard.events.appendLine(of: event, connection: Int(descriptor), to: &text)
                end(kind)
            }
            takeEvictions(&shard, at: now)
        }
        shard.events.removeAll()
    }

    /// Takes the evictions recorded since the last call.
    mutating func takeEvictions(_ shard: inout ShardInstance, at now: ClockReading) {
        guard shard.watching.contains(.evictions) else { return }
        let (records, skipped) = shard.store.takeEvictions()
        for record in records where begin() {
            text.append("type=eviction key=")
            text.append(percentEncoded: record.key.span.bytes)
            text.append(record.wasFetched ? " fetch=yes ttl=" : " fetch=no ttl=")
            let left = record.expiry.secondsLeft(at: now.instant)
            text.append(text: "\(left) la=")
            let second = now.instant.nanoseconds / 1_000_000_000
            text.append(decimal: UInt64(max(0, second - Int64(record.accessSecond))))
            text.append(" clsid=1 size=")
            text.append(decimal: UInt64(record.valueCount))
            text.append("\n")
            end(.evictions)
        }
        if skipped > 0 { hub.dropped.wrappingAdd(UInt64(skipped), ordering: .relaxed) }
    }

    mutating func noteOpened(_ peer: PeerAddress, descriptor: Int32) {
        guard hub.interests.contains(.connevents), begin() else { return }
        text.append("type=conn_new")
        append(peer)
        text.append(" cfd=")
        text.append(decimal: UInt64(max(0, descriptor)))
        text.append("\n")
        end(.connevents)
    }

    mutating func noteClosed(_ peer: PeerAddress, descriptor: Int32, _ reason: CloseReason) {
        guard hub.interests.contains(.connevents), begin() else { return }
        text.append("type=conn_close")
        append(peer)
        text.append(" reason=")
        text.append(reason.word)
        text.append(" cfd=")
        text.append(decimal: UInt64(max(0, descriptor)))
        text.append("\n")
        end(.connevents)
    }

    private mutating func append(_ peer: PeerAddress) {
        text.append(" rip=")
        text.append(text: peer.isUnix ? "unix" : peer.hostText)
        text.append(" rport=")
        text.append(decimal: UInt64(peer.port))
        text.append(peer.isUnix ? " transport=local" : " transport=tcp")
    }

    /// Begins a line with its time and number; false where there is no room for it.
    private mutating func begin() -> Bool {
        guard text.count < Self.limitBytes else {
            hub.dropped.wrappingAdd(1, ordering: .relaxed)
            return false
        }
        let microseconds = hub.clock.wallMicroseconds
        text.append("ts=")
        text.append(decimal: UInt64(microseconds / 1_000_000))
        text.append(".")
        // Without leading zeros, as memcached prints it.
        text.append(decimal: UInt64(microseconds % 1_000_000))
        text.append(" gid=")
        text.append(decimal: hub.nextLineNumber())
        text.append(" ")
        return true
    }

    private mutating func end(_ kind: WatchInterest) {
        lines.append((kind, text.count))
        hub.written.wrappingAdd(1, ordering: .relaxed)
    }
}
