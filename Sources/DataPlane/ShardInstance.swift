// One shard: storage plus the rules of every keyed command. The rules follow memcached 1.6; where
// each file speaks of a hit, a miss or a win, it means what memcached's doc/protocol.txt means.
public import MemcacheProtocol
public import Primitives
public import Storage

/// Everything one shard does, as a pure value: commands and clock readings go in, replies come out.
///
/// Whoever calls it holds the shard's lock. Three rules hold for all commands:
/// - Every change of what a client can see in a value, or of its staleness, gets a new version from
///   the shard's counter. A new time to live or a granted win does not: it must not void a client's
///   CAS.
/// - A stub (an item that `mg N` created and nobody filled) is an item to meta commands and a miss
///   to classic ones; every write, delete and `md` voids it.
/// - What can't be changed for want of memory is removed: a cache may lose an item, but must not
///   serve it past its end or as fresh when it is stale.
///
/// Methods are `mutating` or static: one that only borrows `self` would be handed a copy of all its
/// fields.
public struct ShardInstance: ~Copyable {
    /// What the shard has done so far.
    ///
    /// It comes first: written by every command, it lies beside the caller's lock, so that both
    /// come from another processor's cache in one go.
    public var counters = ShardCounters()

    /// Which shard of the node this is; ``Splice/shard`` carries it.
    public let index: Int

    /// The shard's memory.
    ///
    /// Commands go through this value's methods; the loop calls maintenance and reads statistics
    /// here.
    public var store: Store

    /// What somebody watches; empty costs nothing.
    public var watching: WatchMask = []

    /// What happened while somebody watched; the loop empties it.
    public var events = WatchLog()

    /// The ownership epoch of minted versions.
    public private(set) var epoch: UInt64

    /// The counter part of the last minted version.
    public private(set) var counter: UInt64

    /// Where numbers that `incr` and its kind write back are composed.
    var scratch = ByteWriter(capacity: 64)

    /// Creates a shard over an empty store.
    ///
    /// - Parameters:
    ///   - store: The shard's memory.
    ///   - epoch: The ownership epoch its versions carry.
    ///   - index: Which shard of the node it is.
    ///   - counter: Where its counter starts; other than 0 in tests only.
    public init(store: consuming Store, epoch: UInt64, index: Int = 0, counter: UInt64 = 0) {
        self.store = store
        self.epoch = epoch
        self.index = index
        self.counter = counter
    }

    /// Whether the counter is used up so far that the shard should be given a new epoch
    /// (``adopt(epoch:)``).
    public var needsEpoch: Bool { counter >= Version.counterLimit }

    /// Mints versions in `epoch` from now on.
    ///
    /// - Precondition: `epoch` is higher than the one before.
    public mutating func adopt(epoch: UInt64) {
        precondition(epoch > self.epoch, "epoch \(epoch) does not follow \(self.epoch)")
        self.epoch = epoch
        counter = 0
    }

    /// The next version: higher than all before it.
    @inline(__always)
    mutating func mint() -> Version {
        counter &+= 1
        return Version(epoch: epoch, counter: counter)
    }

    /// Runs a command on one key and appends its reply, if it has one.
    ///
    /// - Parameters:
    ///   - command: Any command with one key; retrieval goes through ``retrieve`` key by key.
    ///   - line: The bytes that the command's ranges are offsets into.
    ///   - key: The key, decoded where it was sent in base64.
    ///   - hash: The hash of `key`.
    ///   - value: The data block without its line end; empty where the command has none.
    ///   - now: The clocks at the beginning of the turn.
    ///   - reply: Where the reply goes.
    public mutating func execute(
        _ command: Command, line: RawSpan, key: RawSpan, hash: KeyHash, value: RawSpan,
        at now: ClockReading, reply: inout ReplyBuffer
    ) {
        switch command.verb {
        case .set, .add, .replace, .append, .prepend, .cas:
            storeClassic(command, key, hash, value, now, &reply)
        case .incr, .decr:
            count(command, key, hash, now, &reply)
        case .touch:
            touch(command, key, hash, now, &reply)
        case .delete:
            delete(command, key, hash, now, &reply)
        case .metaGet:
            metaGet(command, line, key, hash, now, &reply)
        case .metaSet:
            metaSet(command, line, key, hash, value, now, &reply)
        case .metaDelete:
            metaDelete(command, line, key, hash, now, &reply)
        case .metaArithmetic:
            metaArithmetic(command, line, key, hash, now, &reply)
        case .metaDebug:
            metaDebug(command, key, hash, now, &reply)
        case .get, .gets, .gat, .gats:
            retrieve(
                command.verb, key: key, hash: hash, exptime: command.exptime, at: now, reply: &reply
            )
        default:
            assertionFailure("\(command.verb) has no key")
        }
    }

    /// Sets below which version an item of the next command's key is a miss.
    @inline(__always)
    public mutating func setFloor(_ version: Version) { store.setFloor(version) }

    /// Ends every item stored so far: from now on they are misses.
    public mutating func flush(at now: ClockReading) {
        store.minVersion = mint()
    }

    /// Takes back the pin of a spliced value that has been sent, or never will be.
    public mutating func unpin(_ token: PinToken) {
        store.unpin(token)
    }
}

// Look-ups and changes that several commands share.
extension ShardInstance {
    /// The live item of `key`, stubs included.
    @inline(__always)
    mutating func find(_ key: RawSpan, _ hash: KeyHash, _ now: ClockReading) -> Item? {
        let item = store.find(key, hash: hash, at: now.instant)
        if item == nil || watching.contains(.fetchers) { noteFetch(of: item, key, hash, now) }
        return item
    }

    /// Gives an item other attributes.
    mutating func update(
        _ item: Item, _ key: RawSpan, _ hash: KeyHash, to attributes: ItemAttributes,
        _ now: ClockReading
    ) {
        if attributes.expiry.hasPassed(at: now.instant) { return store.remove(item) }
        do {
            try store.setAttributes(item, key, hash: hash, to: attributes, at: now.instant)
        } catch {
            drop(key, hash, now)
        }
    }

    /// Removes the item of `key`, if there is one.
    mutating func drop(_ key: RawSpan, _ hash: KeyHash, _ now: ClockReading) {
        if let item = store.find(key, hash: hash, at: now.instant) { store.remove(item) }
    }

    /// Tells watchers of a deletion that is about to happen.
    mutating func noteDeletion(of item: Item, _ key: RawSpan, by command: StaticString) {
        guard watching.contains(.deletions) else { return }
        events.note(.deleted(command: command), key: key, size: store.valueCount(of: item))
    }

    /// Counts a miss by its reason and tells watchers of a look-up.
    @inline(never)
    mutating func noteFetch(
        of item: Item?, _ key: RawSpan, _ hash: KeyHash, _ now: ClockReading
    ) {
        var status: StaticString = "found"
        var size = 0
        if let item {
            size = store.valueCount(of: item)
        } else {
            switch store.absence(of: key, hash: hash, at: now.instant) {
            case .unknown:
                status = "not_found"
            case .expired:
                counters.getExpired &+= 1
                status = "expired"
            case .flushed:
                counters.getFlushed &+= 1
                status = "flushed"
            }
        }
        guard watching.contains(.fetchers) else { return }
        events.note(
            .fetched(status: status), key: key, size: size, slabClass: item == nil ? 0 : 1)
    }
}
