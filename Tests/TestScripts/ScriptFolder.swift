// Scripts as tests: what one value is told, and all that it then does, word for word.

public import Foundation

/// What a script plays on: it takes a line of input and remembers what came of it.
public protocol Scripted {
    /// Something that has been told nothing yet.
    init() throws
    /// Takes one line of the script.
    mutating func input(_ line: String) throws
    /// What it did since this was asked last, a line each.
    mutating func takeEffects() -> [String]
}

/// The scripts beside a test.
///
/// Each file is a row of blocks: inputs, a line `----`, and the effects. With `UPDATE_SCENARIOS=1`
/// the effects are written anew; read the difference before committing it.
public struct ScriptFolder: Sendable {
    /// Where the scripts are.
    public let location: URL
    /// Their files' names, in order.
    public let names: [String]

    /// The folder Scenarios beside the source file `path`.
    public init(beside path: StaticString) {
        location = URL(filePath: "\(path)").deletingLastPathComponent()
            .appending(path: "Scenarios")
        let files = try? FileManager.default.contentsOfDirectory(atPath: location.path)
        names = (files ?? []).filter { $0.hasSuffix(".txt") }.sorted()
    }

    /// Plays a script; returns it as written and as it is now.
    public func play(
        _ name: String, on type: (some Scripted).Type
    ) throws -> (written: String, played: String) {
        let file = location.appending(path: name)
        let written = try String(contentsOf: file, encoding: .utf8)
        let played = try Self.played(written, on: type)
        guard ProcessInfo.processInfo.environment["UPDATE_SCENARIOS"] != nil else {
            return (written, played)
        }
        try played.write(to: file, atomically: true, encoding: .utf8)
        return (played, played)
    }

    /// The script with the effects that its inputs have now.
    private static func played(_ script: String, on type: (some Scripted).Type) throws -> String {
        var scenario = try type.init()
        var output: [String] = []
        var isReadingEffects = false
        for line in script.split(separator: "\n", omittingEmptySubsequences: false) {
            if line == "----" {
                isReadingEffects = true
                output.append("----")
                output += scenario.takeEffects()
            } else if line.isEmpty || line.hasPrefix("#") {
                isReadingEffects = false
                output.append(String(line))
            } else if !isReadingEffects {
                try scenario.input(String(line))
                output.append(String(line))
            }
        }
        return output.joined(separator: "\n")
    }
}
