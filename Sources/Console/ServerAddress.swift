/// Where a node's client port is: `--server`.
public enum ServerAddress: Equatable, Sendable {
    /// A name or an address, and a port.
    case network(host: String, port: Int)
    /// A unix socket.
    case unix(path: String)

    /// memcached's port, used where none is given.
    public static let defaultPort = 11211

    /// Reads `host:port`, `host`, `[::1]:port`, `::1`, `/path` or `unix:/path`.
    public init(_ text: String) throws(ConsoleError) {
        if text.hasPrefix("/") {
            self = .unix(path: text)
        } else if text.hasPrefix("unix:"), text.utf8.count > 5 {
            self = .unix(path: String(text.dropFirst(5)))
        } else if let (host, port) = Self.split(text), !host.isEmpty {
            self = .network(host: host, port: port)
        } else {
            throw .malformedServer(text)
        }
    }

    /// Host and port of a network address, or nil where the form is none of the allowed ones.
    private static func split(_ text: String) -> (host: String, port: Int)? {
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            let host = String(text[text.index(after: text.startIndex)..<end])
            let rest = text[text.index(after: end)...]
            if rest.isEmpty { return (host, defaultPort) }
            guard rest.first == ":", let port = portNumber(rest.dropFirst()) else { return nil }
            return (host, port)
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        switch parts.count {
        case 1: return (text, defaultPort)
        case 2:
            guard let port = portNumber(parts[1]) else { return nil }
            return (String(parts[0]), port)
        default: return (text, defaultPort)  // A bare IPv6 address.
        }
    }

    private static func portNumber(_ text: Substring) -> Int? {
        guard let port = Int(text), (1...65535).contains(port) else { return nil }
        return port
    }
}

extension ServerAddress: CustomStringConvertible {
    /// The address in the form `--server` takes.
    public var description: String {
        switch self {
        case .network(let host, let port):
            host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): path
        }
    }
}
