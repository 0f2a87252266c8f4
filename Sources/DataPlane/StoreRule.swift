// What the storage commands of both protocols ask for, in one shape.
import MemcacheProtocol
import Primitives
import Storage

/// A storage command, classic or meta: when to store, and with which attributes.
struct StoreRule {
    /// When to store, and where the bytes go.
    enum Mode {
        case set, add, replace, append, prepend, cas
    }

    var mode: Mode
    /// The CAS the item must have: always for ``Mode/cas``; for append and prepend unless 0.
    var compareCAS: UInt64 = 0
    /// `ms C I`: an older CAS stores too, and the item stays stale.
    var acceptsOlderCAS = false
    /// `ms MA N`: append and prepend store where there is nothing.
    var creates = false
    /// Classic commands don't see stubs.
    var isMeta = false
    /// Flags, expiry, CAS and state of the new value; the version is minted when it is stored.
    var attributes = ItemAttributes(version: Version(value: 0))

    /// The rule of a classic command.
    init(classic command: Command, at now: ClockReading) {
        switch command.verb {
        case .add: mode = .add
        case .replace: mode = .replace
        case .append: mode = .append
        case .prepend: mode = .prepend
        case .cas: mode = .cas
        default: mode = .set
        }
        if mode == .cas { compareCAS = command.number }
        attributes.flags = command.clientFlags
        attributes.expiry = Expiry(exptime: command.exptime, at: now)
    }

    /// The rule of `ms`; the parser lets no other modes through than `E A P R S`, or none.
    init(meta command: Command, at now: ClockReading) {
        let meta = command.meta
        switch meta.mode {
        case UInt8(ascii: "E"): mode = .add
        case UInt8(ascii: "A"): mode = .append
        case UInt8(ascii: "P"): mode = .prepend
        case UInt8(ascii: "R"): mode = .replace
        default: mode = .set
        }
        isMeta = true
        creates = meta.has("N") && extends
        compareCAS = meta.compareCAS
        if meta.has("C") && (mode == .set || mode == .replace) {
            mode = .cas
            acceptsOlderCAS = meta.has("I")
        }
        attributes.flags = command.clientFlags
        attributes.expiry = Expiry(exptime: creates ? meta.vivifyExptime : meta.exptime, at: now)
        attributes.clientCAS = meta.newCAS
        if meta.keyIsBase64 { attributes.state = .binaryKey }
    }

    /// Whether the value is added to the one that is there.
    var extends: Bool { mode == .append || mode == .prepend }

    /// memcached's name of the mode, for watchers.
    var name: StaticString {
        switch mode {
        case .set: "set"
        case .add: "add"
        case .replace: "replace"
        case .append: "append"
        case .prepend: "prepend"
        case .cas: "cas"
        }
    }
}

/// How a storage command ended.
enum StoreOutcome {
    case stored, notStored, exists, notFound, tooLarge, outOfMemory

    /// The line that answers a classic command.
    var reply: StaticString {
        switch self {
        case .stored: ReplyText.stored
        case .notStored: ReplyText.notStored
        case .exists: ReplyText.exists
        case .notFound: ReplyText.notFound
        case .tooLarge: ReplyText.tooLarge
        case .outOfMemory: ReplyText.outOfMemoryStoring
        }
    }

    /// The code that begins the answer to `ms`; nil where it is an error line.
    var code: StaticString? {
        switch self {
        case .stored: ReplyText.metaHeader
        case .notStored: ReplyText.metaNotStored
        case .exists: ReplyText.metaExists
        case .notFound: ReplyText.metaNotFound
        case .tooLarge, .outOfMemory: nil
        }
    }

    /// memcached's name of it, for watchers.
    var name: StaticString {
        switch self {
        case .stored: "stored"
        case .notStored: "not_stored"
        case .exists: "exists"
        case .notFound: "not_found"
        case .tooLarge: "too_large"
        case .outOfMemory: "no_memory"
        }
    }

    /// How a refusal by storage is answered.
    init(_ error: StoreError) {
        switch error {
        case .tooLarge: self = .tooLarge
        case .outOfMemory: self = .outOfMemory
        }
    }
}

/// What is to be done with a value whose conditions have been judged.
enum StoreDecision {
    /// Store the value as it is.
    case put(ItemAttributes)
    /// Add it to the value of an item.
    case extend(Item, ItemAttributes)
    /// Leave everything as it is.
    case refuse(StoreOutcome)
}

extension ItemState {
    /// The key was sent in base64 with the value: `mg k` and `me` send it so again.
    static let binaryKey = ItemState(rawValue: 8)
}
