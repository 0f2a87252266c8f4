import ArgumentParser
import Console

/// `kiln demo`: a cluster of three nodes in one terminal, and what it does when one of them dies.
struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Start three nodes, load them, kill one, and show what happens.",
        discussion: """
            Everything runs on free ports of 127.0.0.1 and in a directory under /tmp, and is \
            stopped and removed at the end.
            """)

    @Option(help: ArgumentHelp("How long each load lasts.", valueName: "seconds"))
    var seconds = 4

    func validate() throws {
        guard (1...600).contains(seconds) else {
            throw ValidationError("--seconds: 1 through 600")
        }
    }

    func run() throws {
        try reporting { () throws(ConsoleError) in
            try Demo.run(seconds: seconds)
        }
    }
}
