import ArgumentParser
import CacheNode

/// The one executable: reads the command line and hands over to the rooms.
@main
struct Kiln: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kiln",
        abstract: "A distributed cache that speaks memcached.",
        discussion: """
            Exit codes: 0 done, 1 a check failed (a key was missing), 64 the command line is \
            wrong, 69 cannot connect, 75 no leader or no answer in time, 78 the configuration is wrong.
            """,
        version: "kiln \(KilnVersion.current)",
        subcommands: [
            ServeCommand.self, StatsCommand.self, GetCommand.self, SetCommand.self,
            DeleteCommand.self, HotKeysCommand.self, WhyCommand.self, TopCommand.self,
            MembersCommand.self, RingCommand.self, RaftCommand.self, EventsCommand.self,
            LeaveCommand.self, ForgetCommand.self, BenchCommand.self, DemoCommand.self,
            CompletionsCommand.self,
        ]
    )

    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        main(ServeArguments.rewriting(arguments))
    }
}
