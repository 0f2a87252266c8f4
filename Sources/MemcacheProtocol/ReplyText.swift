// Every fixed reply line, in one place: clients compare them byte for byte.

/// Reply lines as memcached 1.6 words them, line ends included.
public enum ReplyText {
    // Classic replies.
    public static let stored: StaticString = "STORED\r\n"
    public static let notStored: StaticString = "NOT_STORED\r\n"
    public static let exists: StaticString = "EXISTS\r\n"
    public static let notFound: StaticString = "NOT_FOUND\r\n"
    public static let deleted: StaticString = "DELETED\r\n"
    public static let touched: StaticString = "TOUCHED\r\n"
    public static let end: StaticString = "END\r\n"
    public static let ok: StaticString = "OK\r\n"
    public static let reset: StaticString = "RESET\r\n"
    public static let lineEnd: StaticString = "\r\n"

    // Meta return codes, without line ends: flags follow.
    public static let metaHeader: StaticString = "HD"
    public static let metaValue: StaticString = "VA "
    public static let metaMiss: StaticString = "EN"
    public static let metaNotStored: StaticString = "NS"
    public static let metaExists: StaticString = "EX"
    public static let metaNotFound: StaticString = "NF"
    public static let metaNoop: StaticString = "MN\r\n"
    public static let metaDebug: StaticString = "ME "

    // Errors that need more than the line to be seen; those of the line are in ``ProtocolError``.
    public static let error: StaticString = "ERROR\r\n"
    public static let badDataChunk: StaticString = "CLIENT_ERROR bad data chunk\r\n"
    public static let badFormat: StaticString = "CLIENT_ERROR bad command line format\r\n"
    public static let badLine: StaticString = "CLIENT_ERROR bad command line\r\n"
    public static let nonNumeric: StaticString =
        "CLIENT_ERROR cannot increment or decrement non-numeric value\r\n"
    public static let tooLarge: StaticString = "SERVER_ERROR object too large for cache\r\n"
    public static let outOfMemoryStoring: StaticString =
        "SERVER_ERROR out of memory storing object\r\n"
    public static let outOfMemory: StaticString = "SERVER_ERROR out of memory\r\n"
    public static let flushNotAllowed: StaticString = "CLIENT_ERROR flush_all not allowed\r\n"
    public static let watchNotAllowed: StaticString = "CLIENT_ERROR watch commands not allowed\r\n"
    public static let watchPipelined: StaticString =
        "ERROR cannot pipeline other commands before watch\r\n"
    public static let watcherTooMany: StaticString =
        "WATCHER_TOO_MANY log watcher limit reached\r\n"
    public static let shutdownNotEnabled: StaticString = "ERROR: shutdown not enabled\r\n"
    public static let invalidShutdownMode: StaticString = "CLIENT_ERROR invalid shutdown mode\r\n"
    public static let memoryLimitTooSmall: StaticString =
        "MEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m\r\n"
    public static let memoryLimitNotMegabytes: StaticString =
        "MEMLIMIT_ADJUST_FAILED input value is megabytes not bytes\r\n"
    public static let memoryLimitNotAdjusted: StaticString =
        "MEMLIMIT_ADJUST_FAILED out of bounds or unable to adjust\r\n"
    public static let statsDetailUsage: StaticString =
        "CLIENT_ERROR usage: stats detail on|off|dump\r\n"
    public static let dumpNotAllowed: StaticString =
        "CLIENT_ERROR stats cachedump not allowed\r\n"
    public static let illegalSlab: StaticString = "CLIENT_ERROR Illegal slab id\r\n"
    public static let metadumpNotAllowed: StaticString = "ERROR metadump not allowed\r\n"
    public static let metadumpPipelined: StaticString =
        "ERROR cannot pipeline other commands before metadump\r\n"
    public static let badClass: StaticString = "BADCLASS invalid class id\r\n"
    public static let crawlerBusy: StaticString =
        "BUSY currently processing crawler request\r\n"
    public static let crawlerSleepTooLong: StaticString =
        "CLIENT_ERROR sleep must be one second or less\r\n"
    public static let lruPercentages: StaticString =
        "ERROR hot and warm pcts must not exceed 80\r\n"
    public static let lruFactors: StaticString =
        "ERROR hot/warm age factors must be greater than 0\r\n"
    public static let slabsNoSpare: StaticString =
        "NOSPARE source class has no spare pages\r\n"
    public static let slabsSame: StaticString = "SAME src and dst class are identical\r\n"
    public static let tlsNotEnabled: StaticString = "Error TLS not enabled\r\n"
    public static let unauthenticated: StaticString = "CLIENT_ERROR unauthenticated\r\n"
    public static let authenticationFailure: StaticString =
        "CLIENT_ERROR authentication failure\r\n"
    public static let badAuthenticationFormat: StaticString =
        "CLIENT_ERROR bad authentication token format\r\n"
    public static let badLineTermination: StaticString =
        "CLIENT_ERROR bad command line termination\r\n"
    public static let tooManyConnections: StaticString = "ERROR Too many open connections\r\n"
}
