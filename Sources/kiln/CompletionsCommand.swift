import ArgumentParser
import Console

/// `kiln completions`: the script that lets a shell complete kiln's command line.
struct CompletionsCommand: ParsableCommand {
    /// The shells there is a script for.
    enum Shell: String, ExpressibleByArgument, CaseIterable {
        case bash
        case zsh
        case fish
    }

    static let configuration = CommandConfiguration(
        commandName: "completions",
        abstract: "Print a completion script.")

    @Argument(help: "The shell to write for.")
    var shell: Shell

    func run() throws {
        let script: String
        switch shell {
        case .bash: script = Kiln.completionScript(for: .bash)
        case .zsh: script = Kiln.completionScript(for: .zsh)
        case .fish: script = Kiln.completionScript(for: .fish)
        }
        try reporting { () throws(ConsoleError) in try Terminal.write(script) }
    }
}
