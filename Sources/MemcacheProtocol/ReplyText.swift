// Every fixed reply line, in one place: clients compare them byte for byte.

/// Reply lines as memcached 1.6 words them, line ends included.
public enum ReplyText {
    // Classic replies.
    /// A storage command succeeded.
    public static let stored: StaticString = "STORED\r\n"
    /// The condition of `add`, `replace`, `append` or `prepend` was not met.
    public static let notStored: StaticString = "NOT_STORED\r\n"
    /// `cas`: the item has changed since it was read.
    public static let exists: StaticString = "EXISTS\r\n"
    /// No such item.
    public static let notFound: StaticString = "NOT_FOUND\r\n"
    /// `delete` succeeded.
    public static let deleted: StaticString = "DELETED\r\n"
    /// `touch` succeeded.
    public static let touched: StaticString = "TOUCHED\r\n"
    /// No more values or statistics follow.
    public static let end: StaticString = "END\r\n"
    /// A server command succeeded.
    public static let ok: StaticString = "OK\r\n"
    /// `stats reset` succeeded.
    public static let reset: StaticString = "RESET\r\n"
    /// The end of every line and data block.
    public static let lineEnd: StaticString = "\r\n"

    // Meta return codes, without line ends: flags follow.
    /// Success, no value follows.
    public static let metaHeader: StaticString = "HD"
    /// Success, a value follows; its length comes next.
    public static let metaValue: StaticString = "VA "
    /// `mg`: no such item.
    public static let metaMiss: StaticString = "EN"
    /// `ms`: the condition of the mode was not met.
    public static let metaNotStored: StaticString = "NS"
    /// The CAS given is not the item's.
    public static let metaExists: StaticString = "EX"
    /// No such item, for all but `mg`.
    public static let metaNotFound: StaticString = "NF"
    /// The whole answer to `mn`.
    public static let metaNoop: StaticString = "MN\r\n"
    /// The start of an answer to `me`; the key comes next.
    public static let metaDebug: StaticString = "ME "

    // Errors that need more than the line to be seen; those of the line are in ``ProtocolError``.
    /// The line is no command, or its words are wrong.
    public static let error: StaticString = "ERROR\r\n"
    /// A data block does not end with a line end.
    public static let badDataChunk: StaticString = "CLIENT_ERROR bad data chunk\r\n"
    /// A number of the line is wrong.
    public static let badFormat: StaticString = "CLIENT_ERROR bad command line format\r\n"
    /// A statistics request lacks words.
    public static let badLine: StaticString = "CLIENT_ERROR bad command line\r\n"
    /// `incr`, `decr` or `ma` on a value that is no number.
    public static let nonNumeric: StaticString =
        "CLIENT_ERROR cannot increment or decrement non-numeric value\r\n"
    /// A value above the item size limit.
    public static let tooLarge: StaticString = "SERVER_ERROR object too large for cache\r\n"
    /// No memory for a new item.
    public static let outOfMemoryStoring: StaticString =
        "SERVER_ERROR out of memory storing object\r\n"
    /// No memory for a changed item.
    public static let outOfMemory: StaticString = "SERVER_ERROR out of memory\r\n"
    /// `flush_all` is switched off (`-F`).
    public static let flushNotAllowed: StaticString = "CLIENT_ERROR flush_all not allowed\r\n"
    /// `watch` is switched off (`-W`).
    public static let watchNotAllowed: StaticString = "CLIENT_ERROR watch commands not allowed\r\n"
    /// `watch` came behind other commands in one packet.
    public static let watchPipelined: StaticString =
        "ERROR cannot pipeline other commands before watch\r\n"
    /// The limit of watchers is reached.
    public static let watcherTooMany: StaticString =
        "WATCHER_TOO_MANY log watcher limit reached\r\n"
    /// `shutdown` is switched off (no `-A`).
    public static let shutdownNotEnabled: StaticString = "ERROR: shutdown not enabled\r\n"
    /// `shutdown` with a word other than `graceful`.
    public static let invalidShutdownMode: StaticString = "CLIENT_ERROR invalid shutdown mode\r\n"
    /// `cache_memlimit` below 8 MiB.
    public static let memoryLimitTooSmall: StaticString =
        "MEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m\r\n"
    /// `cache_memlimit` with what must be a number of bytes.
    public static let memoryLimitNotMegabytes: StaticString =
        "MEMLIMIT_ADJUST_FAILED input value is megabytes not bytes\r\n"
    /// `cache_memlimit` could not be carried out.
    public static let memoryLimitNotAdjusted: StaticString =
        "MEMLIMIT_ADJUST_FAILED out of bounds or unable to adjust\r\n"
    /// `stats detail` with another word.
    public static let statsDetailUsage: StaticString =
        "CLIENT_ERROR usage: stats detail on|off|dump\r\n"
    /// `stats cachedump` is switched off (`-X`).
    public static let dumpNotAllowed: StaticString =
        "CLIENT_ERROR stats cachedump not allowed\r\n"
    /// `stats cachedump` with a class above 63.
    public static let illegalSlab: StaticString = "CLIENT_ERROR Illegal slab id\r\n"
    /// `lru_crawler metadump` is switched off (`-X`).
    public static let metadumpNotAllowed: StaticString = "ERROR metadump not allowed\r\n"
    /// `lru_crawler metadump` came behind other commands in one packet.
    public static let metadumpPipelined: StaticString =
        "ERROR cannot pipeline other commands before metadump\r\n"
    /// A slab class that does not exist.
    public static let badClass: StaticString = "BADCLASS invalid class id\r\n"
    /// One crawl at a time.
    public static let crawlerBusy: StaticString =
        "BUSY currently processing crawler request\r\n"
    /// `lru_crawler sleep` above a million microseconds.
    public static let crawlerSleepTooLong: StaticString =
        "CLIENT_ERROR sleep must be one second or less\r\n"
    /// `lru tune` with too large shares.
    public static let lruPercentages: StaticString =
        "ERROR hot and warm pcts must not exceed 80\r\n"
    /// `lru tune` with a factor that is not positive.
    public static let lruFactors: StaticString =
        "ERROR hot/warm age factors must be greater than 0\r\n"
    /// `slabs reassign` from a class without a spare page.
    public static let slabsNoSpare: StaticString =
        "NOSPARE source class has no spare pages\r\n"
    /// `slabs reassign` from a class to itself.
    public static let slabsSame: StaticString = "SAME src and dst class are identical\r\n"
    /// `refresh_certs` without TLS.
    public static let tlsNotEnabled: StaticString = "Error TLS not enabled\r\n"
    /// A command before the client has named itself.
    public static let unauthenticated: StaticString = "CLIENT_ERROR unauthenticated\r\n"
    /// Wrong user or password.
    public static let authenticationFailure: StaticString =
        "CLIENT_ERROR authentication failure\r\n"
    /// The authentication block is not `user password`.
    public static let badAuthenticationFormat: StaticString =
        "CLIENT_ERROR bad authentication token format\r\n"
    /// The authentication block does not end with a line end.
    public static let badLineTermination: StaticString =
        "CLIENT_ERROR bad command line termination\r\n"
    /// Sent before hanging up on a connection above the limit.
    public static let tooManyConnections: StaticString = "ERROR Too many open connections\r\n"
}
