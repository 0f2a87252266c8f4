import Foundation
import Testing

/// Where the scripts are.
private enum ScenarioFolder {
    static let location: URL = {
        let path = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        return URL(filePath: "/\(path)/Scenarios")
    }()

    static let names: [String] = {
        let files = try? FileManager.default.contentsOfDirectory(atPath: location.path)
        return (files ?? []).filter { $0.hasSuffix(".txt") }.sorted()
    }()
}

/// Scripts: what one member is told, and all that it then does, word for word.
///
/// Each file of the folder Scenarios is a row of blocks: inputs, a line `----`, and the effects.
/// `UPDATE_SCENARIOS=1 swift test --filter ScenarioTests` writes the effects anew; read the
/// difference before committing it.
@Suite struct ScenarioTests {
    @Test("all scenarios are found")
    func areFound() {
        #expect(ScenarioFolder.names.count >= 12, "\(ScenarioFolder.location.path)")
    }

    @Test(arguments: ScenarioFolder.names)
    func plays(_ name: String) throws {
        let file = ScenarioFolder.location.appending(path: name)
        let before = try String(contentsOf: file, encoding: .utf8)
        let after = try Self.play(before)
        if ProcessInfo.processInfo.environment["UPDATE_SCENARIOS"] == nil {
            #expect(after == before, "\(name)")
        } else {
            try after.write(to: file, atomically: true, encoding: .utf8)
        }
    }

    /// The script with the effects that its inputs have now.
    private static func play(_ script: String) throws -> String {
        var scenario = try Scenario()
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
