// `stats detail`: what is asked of each key prefix.
internal import MemcacheProtocol
internal import Primitives
internal import Synchronization

/// Commands by the part of the key before its first colon, while somebody has switched it on.
///
/// As in memcached only classic commands count, and keys without a colon do not.
final class PrefixStatistics: Sendable {
    /// Prefixes kept; commands on further ones are not counted.
    static let limit = 4_096
    /// Ends a prefix; `stats settings` names it.
    static let delimiter = UInt8(ascii: ":")

    private struct Counts {
        var gets: UInt64 = 0
        var hits: UInt64 = 0
        var sets: UInt64 = 0
        var deletes: UInt64 = 0
    }

    private struct Table {
        var positions: [[UInt8]: Int] = [:]
        var prefixes: [(name: [UInt8], counts: Counts)] = []
    }

    private let enabled = Atomic<Bool>(false)
    private let table = Mutex(Table())

    var isEnabled: Bool { enabled.load(ordering: .relaxed) }

    func enable(_ on: Bool) {
        enabled.store(on, ordering: .relaxed)
    }

    func note(_ verb: Verb, _ key: UnsafeRawBufferPointer, wasFound: Bool) {
        guard let length = key.firstIndex(of: Self.delimiter) else { return }
        switch verb {
        case .get, .gets, .gat, .gats:
            change(key, length) { counts in
                counts.gets += 1
                if wasFound { counts.hits += 1 }
            }
        case .set, .add, .replace, .append, .prepend, .cas:
            change(key, length) { $0.sets += 1 }
        case .delete:
            change(key, length) { $0.deletes += 1 }
        default:
            return
        }
    }

    private func change(
        _ key: UnsafeRawBufferPointer, _ length: Int, _ body: (inout Counts) -> Void
    ) {
        let prefix = Array(key[0..<length])
        table.withLock { table in
            if let position = table.positions[prefix] {
                body(&table.prefixes[position].counts)
            } else if table.prefixes.count < Self.limit {
                table.positions[prefix] = table.prefixes.count
                table.prefixes.append((prefix, Counts()))
                body(&table.prefixes[table.prefixes.count - 1].counts)
            }
        }
    }

    /// Appends one line per prefix, in the order they were first seen.
    func dump(into reply: inout ByteWriter) {
        for (name, counts) in table.withLock({ $0.prefixes }) {
            reply.append("PREFIX ")
            reply.append(name.span.bytes)
            reply.append(" get ")
            reply.append(decimal: counts.gets)
            reply.append(" hit ")
            reply.append(decimal: counts.hits)
            reply.append(" set ")
            reply.append(decimal: counts.sets)
            reply.append(" del ")
            reply.append(decimal: counts.deletes)
            reply.append("\r\n")
        }
        reply.append("END\r\n")
    }

    /// Forgets all prefixes.
    func removeAll() {
        table.withLock { $0 = Table() }
    }
}
