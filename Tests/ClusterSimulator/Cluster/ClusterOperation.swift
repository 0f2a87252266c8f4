// What a client asks for, and what the observer knows of it.

import Primitives

/// One command of a client.
final class ClusterOperation {
    enum Kind: CaseIterable {
        case get, gets, metaGet, vivify
        case set, add, cas, delete, increment, metaSet
    }

    /// Its place among all operations of the run.
    let number: Int
    let kind: Kind
    /// The key, as an index into the run's keys.
    let key: Int
    /// Its client wants no reply.
    let isQuiet: Bool
    /// The command as it is sent.
    let text: [UInt8]
    /// When its client sent it.
    let began: Int64
    /// What was known to be done when it was sent.
    let floor: PromiseLedger.Floor

    /// When it was last executed, if it was.
    var executedAt: Int64?
    var executions = 0
    /// What lay under its key before and after that.
    var before: StoredValue?
    var after: StoredValue?
    /// Whether it made ``after``.
    var hasWritten = false
    var isAnswered = false

    init(
        number: Int, kind: Kind, key: Int, isQuiet: Bool, text: String, began: Int64,
        floor: PromiseLedger.Floor
    ) {
        self.number = number
        self.kind = kind
        self.key = key
        self.isQuiet = isQuiet
        self.text = Array(text.utf8)
        self.began = began
        self.floor = floor
    }

    /// Whether a copy of the item could answer it: it changes nothing.
    var isPlainRead: Bool {
        switch kind {
        case .get, .gets, .metaGet: true
        default: false
        }
    }

    /// The command on one line, for the journal.
    var brief: String {
        let line = String(decoding: text, as: UTF8.self).split(separator: "\r\n")
        return "#\(number) \(line.joined(separator: " | "))"
    }
}

/// What a reply tells a client.
enum ClusterReply: Equatable {
    /// The value, and the version where it was asked for.
    case hit(String, UInt64?)
    case miss
    /// It has changed something.
    case done
    /// Its condition was not met: there is a value.
    case unmet
    /// It was not executed, and will not be.
    case refused
    /// It may have been executed.
    case unknown
    /// None of these.
    case nonsense(String)

    init(_ reply: [UInt8], to operation: ClusterOperation) {
        let text = String(decoding: reply, as: UTF8.self)
        if let hit = Self.hit(reply) {
            self = .hit(hit.value, hit.version == 0 ? nil : hit.version)
            return
        }
        switch text.prefix(while: { $0 != "\r\n" && $0 != " " }) {
        case "STORED", "HD", "DELETED": self = .done
        case "NOT_STORED", "EXISTS", "NS", "EX": self = .unmet
        case "END", "EN", "NOT_FOUND", "NF": self = .miss
        case "VA": self = .miss  // Only a stub is empty.
        case "" where operation.isQuiet: self = .done
        case "SERVER_ERROR":
            self = text.contains("outcome unknown") ? .unknown : .refused
        default:
            let isNumber = operation.kind == .increment && UInt64(text.dropLast(1)) != nil
            self = isNumber ? .done : .nonsense(text)
        }
    }

    /// The value and the version that a retrieval found; version 0 where it does not tell.
    static func hit(_ reply: [UInt8]) -> StoredValue? {
        let lines = String(decoding: reply, as: UTF8.self).split(separator: "\r\n")
        guard let head = lines.first?.split(separator: " "), lines.count > 1 else { return nil }
        if head.first == "VALUE" {
            return StoredValue(
                value: String(lines[1]), version: head.count > 4 ? UInt64(head[4]) ?? 0 : 0)
        }
        guard head.first == "VA" else { return nil }
        let version = head.first { $0.first == "c" }.flatMap { UInt64($0.dropFirst()) }
        return StoredValue(value: String(lines[1]), version: version ?? 0)
    }
}
