import ArgumentParser
import Console

/// Asks a node a question about its cluster and shows the answer.
private func show(
    _ kind: ClusterReport.Kind, _ words: [String], _ options: ReadingOptions
) throws {
    try reporting { () throws(ConsoleError) in
        let address = try options.address()
        var client = try MemcachedClient(to: address)
        let report = try ClusterReport(kind, try client.ask(words), server: address)
        try options.show(table: report.table, json: report.json)
    }
}

/// `kiln members`: who is in the cluster.
struct MembersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "members",
        abstract: "Show the members of a cluster, as one of them sees the others.",
        discussion: """
            STATE is what the members tell each other; RING whether keys are placed on the member.
            """)

    @OptionGroup var options: ReadingOptions

    func run() throws { try show(.members, ["members"], options) }
}

/// `kiln ring`: who owns which part of the keys.
struct RingCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ring",
        abstract: "Show who owns which part of the keys.",
        subcommands: [Shares.self, Locate.self, Split.self],
        defaultSubcommand: Shares.self)

    /// `kiln ring shares`, which `kiln ring` alone means.
    struct Shares: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "shares", abstract: "Show each member's share (the default).")

        @OptionGroup var options: ReadingOptions

        func run() throws { try show(.ring, ["ring"], options) }
    }

    /// `kiln ring locate`.
    struct Locate: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "locate", abstract: "Show the owners of keys.")

        @Argument(help: "Keys; bytes that are not printable as %XX.")
        var keys: [String]

        @OptionGroup var options: ReadingOptions

        func run() throws { try show(.locations, ["ring", "locate"] + keys, options) }
    }

    /// `kiln ring split`.
    struct Split: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "split",
            abstract: "Cut the arc that a key lies in, at the key.",
            discussion: """
                Both parts stay with their owner; each can then be moved by itself. From this \
                machine only.
                """)

        @Argument(help: "The key; bytes that are not printable as %XX.")
        var key: String

        @OptionGroup var options: ReadingOptions

        func run() throws { try show(.change, ["ring", "split", key], options) }
    }
}

/// `kiln raft`: the state of consensus.
struct RaftCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "raft",
        abstract: "Show a node's part in consensus; on the leader, its followers, too.")

    @OptionGroup var options: ReadingOptions

    func run() throws { try show(.raft, ["raft"], options) }
}

/// `kiln events`: what happened lately.
struct EventsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Show what happened in the cluster lately, as a node saw it.")

    @OptionGroup var options: ReadingOptions

    func run() throws { try show(.events, ["events"], options) }
}

/// `kiln leave`: lets a node go.
struct LeaveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "leave",
        abstract: "Let a node leave its cluster in good order, and stop.",
        discussion: "The same as SIGTERM to its process. From its own machine only.")

    @OptionGroup var options: ReadingOptions

    func run() throws { try show(.change, ["leave"], options) }
}

/// `kiln forget`: gives up on a member.
struct ForgetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget",
        abstract: "Give up on a member that is dead and will not come back.",
        discussion: """
            Its place among the voters is free then. A member that is alive is not forgotten: let \
            it leave. From a member's own machine only.
            """)

    @Argument(help: "The member's name.")
    var name: String

    @OptionGroup var options: ReadingOptions

    func run() throws { try show(.change, ["forget", name], options) }
}
