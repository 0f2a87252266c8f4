import ArgumentParser
import Console
import Glibc

/// `kiln hotkeys`: the keys that get the most traffic.
struct HotKeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hotkeys",
        abstract: "Show the keys that get the most traffic.",
        discussion: """
            Rates are those of the last second, or a mean over --history. Looking changes \
            nothing: no key becomes younger or more popular by it.
            """)

    /// What a list may be ordered by.
    enum Order: String, ExpressibleByArgument, CaseIterable {
        case ops
        case bytes
        case writes
    }

    @Option(name: .customShort("n"), help: ArgumentHelp("Keys at most.", valueName: "count"))
    var count = 20

    @Option(help: "What to order by.")
    var sort: Order = .ops

    @Option(help: ArgumentHelp("Only keys that contain this text.", valueName: "text"))
    var filter: String?

    @Option(
        help: ArgumentHelp(
            "Add up the keys with a prefix: 'user:*', or several by commas.", valueName: "prefix*"))
    var group: String?

    @Option(
        help: ArgumentHelp(
            "The mean over the last 30s or 5m, at most 15m.", valueName: "time"))
    var history: HistoryTime?

    @Flag(help: "Ask again every second, until interrupted.")
    var watch = false

    @OptionGroup var options: ReadingOptions

    func validate() throws {
        guard (1...1000).contains(count) else { throw ValidationError("-n: 1 through 1000") }
    }

    /// The words of the question.
    private var question: [String] {
        var words = ["hotkeys", "n=\(count)", "sort=\(sort.rawValue)"]
        if let filter { words.append("filter=\(filter)") }
        if let group { words.append("group=\(group)") }
        if let history { words.append("history=\(history.seconds)") }
        return words
    }

    func run() throws {
        try reporting { () throws(ConsoleError) in
            let address = try options.address()
            var client = try MemcachedClient(to: address)
            while true {
                let report = try HotKeysReport(try client.ask(question), server: address)
                try options.show(table: report.table, json: report.json)
                guard watch else { return }
                if options.output == .table { try Terminal.write("\n") }
                sleep(1)
            }
        }
    }
}

/// `90s`, `5m` or a number of seconds.
struct HistoryTime: ExpressibleByArgument {
    /// The time in seconds, 1 through 900.
    let seconds: Int

    init?(argument: String) {
        let unit = argument.last.flatMap { ["s": 1, "m": 60][$0] }
        let digits = unit == nil ? argument[...] : argument.dropLast()
        guard let number = Int(digits), (1...900).contains(number) else { return nil }
        seconds = number * (unit ?? 1)
        guard seconds <= 900 else { return nil }
    }
}

/// `kiln why`: what a node thinks of one key.
struct WhyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why",
        abstract: "Show why a key is hot, or is not.")

    @Argument(help: "The key; bytes that are not printable as %XX.")
    var key: String

    @OptionGroup var options: ReadingOptions

    func run() throws {
        try reporting { () throws(ConsoleError) in
            let address = try options.address()
            var client = try MemcachedClient(to: address)
            let report = try WhyReport(try client.ask(["why", key]), server: address)
            try options.show(table: report.table, json: report.json)
        }
    }
}

/// `kiln top`: the live screen.
struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Watch hot keys and load, live.",
        discussion: """
            A full screen with keys to sort, filter, pause and look closer (? lists them). Where \
            the output is no terminal, one line of JSON per answer.
            """)

    @Option(
        name: [.customShort("d"), .customLong("delay")],
        help: ArgumentHelp("Time from one answer to the next.", valueName: "seconds"))
    var delay = 1.0

    @Option(name: .customShort("n"), help: ArgumentHelp("Keys at most.", valueName: "count"))
    var count = 100

    @Option(
        help: ArgumentHelp("Answers to print where the output is no terminal.", valueName: "count"))
    var answers: Int?

    @Option(
        help: ArgumentHelp(
            "The server to ask: HOST:PORT, [IPV6]:PORT or a unix socket's path.",
            valueName: "host:port"))
    var server = "127.0.0.1:11211"

    func validate() throws {
        guard (0.1...3600).contains(delay) else { throw ValidationError("-d: 0.1 through 3600") }
        guard (1...1000).contains(count) else { throw ValidationError("-n: 1 through 1000") }
        if let answers, answers < 1 { throw ValidationError("--answers: at least 1") }
    }

    func run() throws {
        try reporting { () throws(ConsoleError) in
            var settings = LiveSession.Settings()
            settings.seconds = delay
            settings.keys = count
            settings.answers = answers
            try LiveSession(try ServerAddress(server), settings).run()
        }
    }
}
