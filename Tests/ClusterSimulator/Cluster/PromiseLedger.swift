// The promise, judged: a read returns the latest acknowledged write of its key, or a miss; never an
// older value.
//
// Every write stores a value that no other stores, so a value tells who wrote it. The observer also
// sees each command where it is executed. With that three rules, each O(1), say whether a history
// is one of a register that may lose its value at any time:
// - A value seen was not written before another write began that was known to be done (by its
//   acknowledgement, or because somebody had read it) when the look began.
// - Versions seen never fall below one that was known when the look began; an acknowledged write
//   has a higher one.
// - A command takes effect once at most, and never if its client was told that it would not.
// What nobody was told the end of may have happened until it is seen executed, and never else.

import Primitives

/// What has been promised to clients, and whether it is kept.
struct PromiseLedger {
    /// What is known to be done for a key.
    struct Floor: Equatable {
        /// When the newest write that is known to be done began.
        var began: Int64 = -1
        /// The highest version that a client can know.
        var version: UInt64 = 0

        mutating func raise(began: Int64, version: UInt64) {
            self.began = max(self.began, began)
            self.version = max(self.version, version)
        }
    }

    private var floors: [Floor]
    private var writers: [String: ClusterOperation] = [:]

    /// Commands answered with a value, a miss, a change, a refusal.
    private(set) var hits = 0
    private(set) var misses = 0
    private(set) var changes = 0
    private(set) var refusals = 0
    private(set) var unknowns = 0

    init(keys: Int) {
        floors = Array(repeating: Floor(), count: keys)
    }

    /// What is known to be done for a key by now.
    func floor(_ key: Int) -> Floor { floors[key] }

    /// A shard has executed a command.
    mutating func executed(
        _ operation: ClusterOperation, _ before: StoredValue?, _ after: StoredValue?,
        at now: Int64
    ) throws(Finding) {
        operation.executions += 1
        operation.executedAt = now
        operation.before = before
        operation.after = after
        guard operation.executions == 1 || operation.isPlainRead else {
            throw Finding("a command is executed once", "\(operation.brief) is executed again")
        }
        guard let after, after != before else { return }
        if let before, before.version >= after.version {
            throw Finding(
                "versions only rise", "\(operation.brief) makes \(after) of \(before)")
        }
        operation.hasWritten = true
        if let other = writers.updateValue(operation, forKey: after.value), other !== operation {
            throw Finding(
                "no change is lost before it is acknowledged",
                "\(operation.brief) makes \(after.value), as did \(other.brief)")
        }
    }

    /// A client has got its answer.
    mutating func answered(
        _ operation: ClusterOperation, _ reply: ClusterReply
    ) throws(Finding) {
        precondition(!operation.isAnswered, "\(operation.brief) is answered twice")
        operation.isAnswered = true
        switch reply {
        case .hit(let value, let version): try answered(operation, value, version)
        case .miss: misses += 1
        case .done: try done(operation)
        case .unmet:
            if let before = operation.before { try look(operation, before) }
        case .refused:
            refusals += 1
            guard operation.executions == 0 else {
                throw Finding(
                    "what is refused is not executed", "\(operation.brief) was executed")
            }
        case .unknown: unknowns += 1
        case .nonsense(let text):
            throw Finding("replies make sense", "\(operation.brief) is told \(text)")
        }
    }

    private mutating func answered(
        _ operation: ClusterOperation, _ value: String, _ version: UInt64?
    ) throws(Finding) {
        hits += 1
        let stored = operation.before
        guard let stored, stored.value == value, version ?? stored.version == stored.version else {
            throw Finding(
                "replies tell what is stored",
                "\(operation.brief) is told \(value), stored was \(String(describing: stored))")
        }
        try look(operation, stored)
    }

    private mutating func done(_ operation: ClusterOperation) throws(Finding) {
        guard !operation.isQuiet else { return }
        changes += 1
        guard operation.executions > 0 else {
            throw Finding(
                "what is acknowledged is executed", "\(operation.brief) never was")
        }
        if operation.kind == .cas || operation.kind == .increment, let before = operation.before {
            try look(operation, before)
        }
        guard operation.hasWritten, let after = operation.after else {
            // A deletion, or a write that was lost at once.
            return floors[operation.key].raise(began: operation.began, version: 0)
        }
        guard after.version > operation.floor.version else {
            throw Finding(
                "versions only rise",
                "\(operation.brief) gets \(after.version), known was \(operation.floor.version)")
        }
        floors[operation.key].raise(began: operation.began, version: after.version)
    }

    /// A client has seen a value.
    private mutating func look(
        _ operation: ClusterOperation, _ seen: StoredValue
    ) throws(Finding) {
        guard let writer = writers[seen.value], let written = writer.executedAt else {
            throw Finding("values come from writes", "\(operation.brief) sees \(seen.value)")
        }
        guard written >= operation.floor.began else {
            throw Finding(
                "no old value comes back",
                "\(operation.brief) sees \(seen.value) of \(writer.brief), written at "
                    + "\(written / 1_000) us; a later write began at "
                    + "\(operation.floor.began / 1_000) us and was done before this look")
        }
        guard seen.version >= operation.floor.version else {
            throw Finding(
                "no version comes back",
                "\(operation.brief) sees \(seen), known was \(operation.floor.version)")
        }
        floors[operation.key].raise(began: writer.began, version: seen.version)
    }

    /// Everything stored before `began` is gone.
    mutating func flushed(began: Int64, epoch: UInt64) {
        let version = Version(epoch: epoch, counter: 0).value
        for key in floors.indices { floors[key].raise(began: began, version: version) }
    }
}
