import TestScripts
import Testing

private let folder = ScriptFolder(beside: #filePath)

/// Scripts: what one server is told, and all that it then does, word for word.
///
/// `UPDATE_SCENARIOS=1 swift test --filter ScenarioTests` writes the effects anew; read the
/// difference before committing it.
@Suite struct ScenarioTests {
    @Test("all scenarios are found")
    func areFound() {
        #expect(folder.names.count >= 12, "\(folder)")
    }

    @Test(arguments: folder.names)
    func plays(_ name: String) throws {
        let (written, played) = try folder.play(name, on: Scenario.self)
        #expect(played == written, "\(name)")
    }
}
