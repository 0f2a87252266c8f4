import ArgumentParser
import Console

/// How a command prints what it found.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case table
    case json
}

/// What every command that talks to a server takes.
struct ReadingOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The server to ask: HOST:PORT, [IPV6]:PORT or a unix socket's path.",
            valueName: "host:port"))
    var server = "127.0.0.1:11211"

    @Option(name: [.customShort("o"), .customLong("output")], help: "How to print.")
    var output: OutputFormat = .table

    /// The server's address.
    func address() throws(ConsoleError) -> ServerAddress {
        try ServerAddress(server)
    }

    /// Prints a report in the form asked for.
    func show(table: (_ styled: Bool) -> String, json: JSONText) throws(ConsoleError) {
        switch output {
        case .table: try Terminal.write(table(Terminal.isStyled))
        case .json: try Terminal.write("\(json)\n")
        }
    }
}

/// Runs `body`; its error becomes one line on standard error and its exit code.
func reporting(_ body: () throws(ConsoleError) -> Void) throws {
    do throws(ConsoleError) {
        try body()
    } catch {
        complain("kiln: \(error)")
        throw ExitCode(error.exitCode)
    }
}
