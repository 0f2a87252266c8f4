// Everything that can stop a benchmark before its end, in words for the person who started it.

/// Why a benchmark could not be made, or ended early.
public enum LoadError: Error, Equatable, Sendable {
    /// A setting cannot be understood; `expected` says what it may be.
    case malformed(setting: String, text: String, expected: String)
    /// Two settings contradict each other, or one is beyond its limit; `reason` says how.
    case contradiction(String)
    /// A trace cannot be read; `line` counts from 1, 0 stands for the whole file.
    case unreadableTrace(file: String, line: Int, reason: String)
    /// A server could not be reached; `reason` is the system's text.
    case cannotConnect(server: String, reason: String)
    /// A server ended the connection, or the connection failed, in the middle of the run.
    case connectionLost(server: String, reason: String)
    /// A server answered what the memcached protocol does not allow at this place.
    case unexpectedReply(server: String, reply: String)
    /// A server refused to store while the keys were loaded.
    case cannotStore(server: String, reply: String)
    /// No answer within the time-out.
    case timedOut(server: String, seconds: Int)
    /// No rate at all keeps the objective; the text says which.
    case objectiveMissed(String)
    /// The system refused something the generator needs; `reason` is its text.
    case system(call: String, reason: String)

    /// The process's exit code: 1 check failed, 64 usage, 69 cannot connect, 75 time-out.
    public var exitCode: Int32 {
        switch self {
        case .malformed, .contradiction, .unreadableTrace: 64
        case .cannotConnect, .connectionLost: 69
        case .timedOut: 75
        case .unexpectedReply, .cannotStore, .objectiveMissed, .system: 1
        }
    }
}

extension LoadError: CustomStringConvertible {
    /// What happened and what to do about it, in one line.
    public var description: String {
        switch self {
        case .malformed(let setting, let text, let expected):
            "\(setting) \(shown(text)): expected \(expected)"
        case .contradiction(let reason):
            reason
        case .unreadableTrace(let file, let line, let reason):
            line == 0
                ? "cannot read the trace \(shown(file)): \(reason)"
                : "\(shown(file)), line \(line): \(reason)"
        case .cannotConnect(let server, let reason):
            "cannot connect to \(shown(server)) (\(reason)): check that a server listens there"
        case .connectionLost(let server, let reason):
            "lost the connection to \(shown(server)) (\(reason)): check its log, or go on past"
                + " failures with --on-error continue"
        case .unexpectedReply(let server, let reply):
            "\(shown(server)) does not speak the memcached protocol asked for; it said:"
                + " \(shown(reply))"
        case .cannotStore(let server, let reply):
            "\(shown(server)) refused to store a key: \(shown(reply))"
        case .timedOut(let server, let seconds):
            "\(shown(server)) did not answer within \(seconds) s"
        case .objectiveMissed(let reason):
            "\(reason): relax --slo, or start lower with --rate"
        case .system(let call, let reason):
            "\(call) failed (\(reason))"
        }
    }

    /// The first 200 characters of `text`, whatever a terminal could act on made harmless.
    private func shown(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars.prefix(200) {
            let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            result += isControl ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
        }
        return result
    }
}
