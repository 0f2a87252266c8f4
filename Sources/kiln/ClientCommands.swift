import ArgumentParser
import Console

/// `kiln stats`: a server's counters.
struct StatsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Show a server's statistics.")

    @Argument(help: "What to show: settings, items, slabs, sizes, conns ... (default: general)")
    var group: [String] = []

    @OptionGroup var options: ReadingOptions

    func validate() throws {
        for word in group where word.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) {
            throw ValidationError("a group is plain words without spaces or control characters")
        }
    }

    func run() throws {
        try reporting { () throws(ConsoleError) in
            let address = try options.address()
            var client = try MemcachedClient(to: address)
            let group = group.joined(separator: " ")
            let report = StatisticsReport(
                server: address, group: group, statistics: try client.statistics(group))
            try options.show(table: report.table, json: report.json)
        }
    }
}

/// `kiln get`: values by their keys.
struct GetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Read keys. Exit code 1 when one is missing.")

    @Argument(help: "The keys to read.")
    var keys: [String]

    @Flag(help: "Print the values alone, byte for byte.")
    var raw = false

    @OptionGroup var options: ReadingOptions

    func run() throws {
        var isComplete = true
        try reporting { () throws(ConsoleError) in
            for key in keys { try MemcachedClient.check(key) }
            let address = try options.address()
            var client = try MemcachedClient(to: address)
            var results: [(key: String, item: FetchedItem?)] = []
            for key in keys {
                let item = try client.fetch(key)
                if item == nil { isComplete = false }
                if raw {
                    try Terminal.write(item?.value ?? [])
                } else {
                    results.append((key, item))
                }
            }
            guard !raw else { return }
            let report = FetchReport(server: address, results: results)
            try options.show(table: report.table, json: report.json)
        }
        if !isComplete { throw ExitCode(1) }
    }
}

/// `kiln set`: one value.
struct SetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Store a value. Without VALUE it is read from standard input.")

    @Argument(help: "The key to write.")
    var key: String

    @Argument(help: "The value; left out, standard input is stored.")
    var value: String?

    @Option(
        help: ArgumentHelp(
            "Seconds until the value expires; 0: never. Above 30 days: a Unix time.",
            valueName: "seconds"))
    var ttl = 0

    @Option(help: "The client flags to store, 0 through 4294967295.")
    var flags: UInt32 = 0

    @OptionGroup var options: ReadingOptions

    func run() throws {
        try reporting { () throws(ConsoleError) in
            try MemcachedClient.check(key)
            let address = try options.address()
            let bytes = try valueBytes()
            var client = try MemcachedClient(to: address)
            try client.store(key, value: bytes, flags: flags, ttlSeconds: ttl)
            let report = ChangeReport(server: address, results: [(key, "stored")])
            try options.show(table: report.table, json: report.json)
        }
    }

    private func valueBytes() throws(ConsoleError) -> [UInt8] {
        if let value { return Array(value.utf8) }
        return try Terminal.readInput(limit: MemcachedClient.valueLimitBytes)
    }
}

/// `kiln delete`: keys to forget.
struct DeleteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete keys. Exit code 1 when one is missing.")

    @Argument(help: "The keys to delete.")
    var keys: [String]

    @OptionGroup var options: ReadingOptions

    func run() throws {
        var isComplete = true
        try reporting { () throws(ConsoleError) in
            for key in keys { try MemcachedClient.check(key) }
            let address = try options.address()
            var client = try MemcachedClient(to: address)
            var results: [(key: String, status: String)] = []
            for key in keys {
                let wasThere = try client.delete(key)
                isComplete = isComplete && wasThere
                results.append((key, wasThere ? "deleted" : "not_found"))
            }
            let report = ChangeReport(server: address, results: results)
            try options.show(table: report.table, json: report.json)
        }
        if !isComplete { throw ExitCode(1) }
    }
}
