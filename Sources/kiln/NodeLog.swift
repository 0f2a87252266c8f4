import Console
import Glibc
import Logging

/// A node's log on standard error: a line of text for a person, of JSON for a program.
struct NodeLog: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    /// Whether a person reads along: standard error is a terminal.
    let isTerminal: Bool

    /// A log that keeps what memcached's `-v`, `-vv` and `-vvv` ask for.
    init(verbosity: Int, isTerminal: Bool = isatty(STDERR_FILENO) == 1) {
        switch verbosity {
        case ...1: logLevel = .info
        case 2: logLevel = .debug
        default: logLevel = .trace
        }
        self.isTerminal = isTerminal
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let details = metadata.merging(event.metadata ?? [:]) { $1 }
        complain(line("\(event.message)", level: event.level, details: details, at: now))
    }

    /// One line without its end; details are sorted, so that equal events give equal lines.
    func line(
        _ message: String, level: Logger.Level, details: Logger.Metadata, at time: timespec
    ) -> String {
        let sorted = details.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") }
        guard isTerminal else {
            let members = [
                ("time", Self.text(time)), ("level", level.rawValue), ("message", message),
            ]
            return JSONText.object((members + sorted).map { ($0, .string($1)) }).description
        }
        // A client chooses parts of what is logged: nothing in it may reach the terminal raw.
        let pairs = sorted.map { " \($0)=\(printable($1))" }.joined()
        return "\(Self.text(time)) \(level): \(printable(message))\(pairs)"
    }

    /// The moment in UTC, to the millisecond (RFC 3339).
    static func text(_ time: timespec) -> String {
        var seconds = time.tv_sec
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func padded(_ number: some BinaryInteger, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(width - digits.count, 0)) + digits
        }
        let date = [padded(parts.tm_year + 1900, 4), padded(parts.tm_mon + 1, 2)]
        let clock = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { padded($0, 2) }
        let milliseconds = padded(time.tv_nsec / 1_000_000, 3)
        return (date + [padded(parts.tm_mday, 2)]).joined(separator: "-")
            + "T\(clock.joined(separator: ":")).\(milliseconds)Z"
    }
}
