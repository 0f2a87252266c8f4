// The words of `watch`.
internal import DataPlane

/// Which kinds of lines a watcher asked for.
struct WatchInterest: OptionSet, Sendable {
    let rawValue: UInt16

    static let evictions = WatchInterest(rawValue: 1)
    static let fetchers = WatchInterest(rawValue: 2)
    static let mutations = WatchInterest(rawValue: 4)
    static let deletions = WatchInterest(rawValue: 8)
    static let connevents = WatchInterest(rawValue: 16)
    /// Kinds that memcached knows and of which nothing is ever told here: they may be asked for.
    static let silent = WatchInterest(rawValue: 32)

    /// The kind of that name; nil for none of memcached's.
    init?(word: String) {
        switch word {
        case "evictions": self = .evictions
        case "fetchers": self = .fetchers
        case "mutations": self = .mutations
        case "deletions": self = .deletions
        case "connevents": self = .connevents
        case "rawcmds", "sysevents", "proxyreqs", "proxyevents", "proxyuser": self = .silent
        default: return nil
        }
    }

    init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    init(_ mask: WatchMask) {
        self = []
        if mask.contains(.evictions) { insert(.evictions) }
        if mask.contains(.fetchers) { insert(.fetchers) }
        if mask.contains(.mutations) { insert(.mutations) }
        if mask.contains(.deletions) { insert(.deletions) }
    }

    /// What the shards have to note for it.
    var shardMask: WatchMask {
        var mask: WatchMask = []
        if contains(.evictions) { mask.insert(.evictions) }
        if contains(.fetchers) { mask.insert(.fetchers) }
        if contains(.mutations) { mask.insert(.mutations) }
        if contains(.deletions) { mask.insert(.deletions) }
        return mask
    }
}
