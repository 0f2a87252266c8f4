import Glibc

/// Standard streams of a command.
public enum Terminal {
    /// Whether output may carry colour: a terminal, and NO_COLOR unset or empty (no-color.org).
    public static var isStyled: Bool {
        isStyled(
            isTerminal: isatty(STDOUT_FILENO) == 1,
            noColor: getenv("NO_COLOR").map { String(cString: $0) },
            kind: getenv("TERM").map { String(cString: $0) })
    }

    /// The rule behind ``isStyled``.
    static func isStyled(isTerminal: Bool, noColor: String?, kind: String?) -> Bool {
        isTerminal && (noColor ?? "").isEmpty && kind != "dumb"
    }

    /// Writes all of `text` to standard output.
    public static func write(_ text: String) throws(ConsoleError) {
        try write(Array(text.utf8))
    }

    /// Writes all of `bytes` to standard output.
    public static func write(_ bytes: [UInt8]) throws(ConsoleError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { all in
                Glibc.write(
                    STDOUT_FILENO, all.baseAddress.map { $0 + written }, bytes.count - written)
            }
            if count >= 0 {
                written += count
            } else if errno != EINTR {
                throw .streamFailed(name: "standard output", reason: systemText(errno))
            }
        }
    }

    /// Standard input to its end, at most `limit` bytes.
    public static func readInput(limit: Int) throws(ConsoleError) -> [UInt8] {
        var input: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = read(STDIN_FILENO, &chunk, chunk.count)
            if count == 0 { return input }
            if count > 0 {
                input += chunk[..<count]
                guard input.count <= limit else { throw .valueTooLong(limitBytes: limit) }
            } else if errno != EINTR {
                throw .streamFailed(name: "standard input", reason: systemText(errno))
            }
        }
    }
}
