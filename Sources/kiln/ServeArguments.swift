/// Rewrites memcached's command line for `kiln serve` into one spelling.
///
/// memcached reads its options with `getopt_long`: `-p11211`, `-vvp 11211` and `-p -1` are all
/// legal there, and a value may start with a dash. Every option becomes `--long` or
/// `--long=VALUE` here, which leaves the parser behind it nothing to guess.
enum ServeArguments {
    /// One option of memcached: its letter, its long name, whether a value follows.
    struct Option {
        let letter: Character
        let name: String
        let takesValue: Bool
    }

    /// Every option of memcached that `kiln serve` accepts.
    static let options: [Option] = [
        Option(letter: "p", name: "port", takesValue: true),
        Option(letter: "l", name: "listen", takesValue: true),
        Option(letter: "m", name: "memory-limit", takesValue: true),
        Option(letter: "c", name: "conn-limit", takesValue: true),
        Option(letter: "t", name: "threads", takesValue: true),
        Option(letter: "I", name: "max-item-size", takesValue: true),
        Option(letter: "v", name: "verbose", takesValue: false),
        Option(letter: "b", name: "listen-backlog", takesValue: true),
        Option(letter: "R", name: "max-reqs-per-event", takesValue: true),
        Option(letter: "s", name: "unix-socket", takesValue: true),
        Option(letter: "a", name: "unix-mask", takesValue: true),
        Option(letter: "A", name: "enable-shutdown", takesValue: false),
        Option(letter: "F", name: "disable-flush-all", takesValue: false),
        Option(letter: "X", name: "disable-dumping", takesValue: false),
        Option(letter: "W", name: "disable-watching", takesValue: false),
        Option(letter: "M", name: "disable-evictions", takesValue: false),
        Option(letter: "P", name: "pidfile", takesValue: true),
        Option(letter: "u", name: "user", takesValue: true),
        Option(letter: "U", name: "udp-port", takesValue: true),
        Option(letter: "d", name: "daemon", takesValue: false),
        Option(letter: "k", name: "lock-memory", takesValue: false),
        Option(letter: "C", name: "disable-cas", takesValue: false),
        Option(letter: "L", name: "enable-largepages", takesValue: false),
        Option(letter: "n", name: "slab-min-size", takesValue: true),
        Option(letter: "f", name: "slab-growth-factor", takesValue: true),
        Option(letter: "o", name: "extended", takesValue: true),
        Option(letter: "V", name: "version", takesValue: false),
        Option(letter: "h", name: "help", takesValue: false),
    ]

    /// Options of `kiln serve` that memcached lacks and that take a value.
    static let ownOptionsWithValue = [
        "ports-file", "idle-timeout", "hot-keys", "node-name", "join", "bootstrap-expect",
        "advertise", "peer-listen", "data-dir", "cluster-key-file", "weight", "zone", "placement",
        "range-splits", "voters",
    ]

    /// `arguments` with everything after `serve` rewritten; other commands stay as they are.
    static func rewriting(_ arguments: [String]) -> [String] {
        guard let first = arguments.first, first == "serve" else { return arguments }
        var rewritten = [first]
        var rest = arguments.dropFirst()
        while let argument = rest.popFirst() {
            if argument == "--" {
                return rewritten + [argument] + rest
            } else if argument.hasPrefix("--") {
                rewritten.append(long(argument, &rest))
            } else if argument.hasPrefix("-"), argument.count > 1 {
                rewritten += cluster(argument, &rest)
            } else {
                rewritten.append(argument)
            }
        }
        return rewritten
    }

    /// `--port 1` becomes `--port=1`.
    private static func long(_ argument: String, _ rest: inout ArraySlice<String>) -> String {
        // memcached's own help and its manual spell this one differently.
        let argument = argument == "--disable-watch" ? "--disable-watching" : argument
        let name = argument.dropFirst(2)
        let takesValue =
            ownOptionsWithValue.contains { $0 == name }
            || options.contains { $0.name == name && $0.takesValue }
        guard takesValue, let value = rest.popFirst() else { return argument }
        return "\(argument)=\(value)"
    }

    /// `-vvp1` becomes `--verbose --verbose --port=1`.
    ///
    /// An unknown letter is left for the parser to refuse, with what follows it.
    private static func cluster(
        _ argument: String, _ rest: inout ArraySlice<String>
    ) -> [String] {
        var rewritten: [String] = []
        var letters = argument.dropFirst()
        while let letter = letters.popFirst() {
            guard let option = options.first(where: { $0.letter == letter }) else {
                return rewritten + ["-\(letter)\(letters)"]
            }
            guard option.takesValue else {
                rewritten.append("--\(option.name)")
                continue
            }
            guard letters.isEmpty else { return rewritten + ["--\(option.name)=\(letters)"] }
            let value = rest.popFirst()
            return rewritten + [value.map { "--\(option.name)=\($0)" } ?? "--\(option.name)"]
        }
        return rewritten
    }
}
