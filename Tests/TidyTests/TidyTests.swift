import Testing

@Suite struct TidyTests {
    @Test(arguments: Rule.allCases)
    func holdsInEveryFile(_ rule: Rule) {
        for violation in Repository.files.flatMap(rule.violations) {
            Issue.record("\(violation)")
        }
    }

    @Test(arguments: Rule.allCases)
    func findsEveryPlantedViolation(_ rule: Rule) {
        #expect(!rule.planted.isEmpty)
        for file in rule.planted {
            #expect(!rule.violations(in: file).isEmpty, "blind to: \(file.text.prefix(80))")
        }
    }

    @Test(arguments: Rule.allCases)
    func staysSilentOnCleanSamples(_ rule: Rule) {
        #expect(!rule.clean.isEmpty)
        for file in rule.clean { #expect(rule.violations(in: file) == []) }
    }

    @Test func violationsNameTheirLine() {
        let file = SourceFile(
            path: "Sources/Storage/A.swift",
            text: "/* a\n */\nlet s = \"\"\"\n  x\n  \"\"\"\nprint(1)")
        let violations = Rule.pureRoomsPrintNothing.violations(in: file)
        #expect(violations == ["Sources/Storage/A.swift:6: Storage is pure and uses print("])
    }

    /// A scan that reads nothing would find nothing wrong.
    @Test func theScanSeesTheRepository() {
        let paths = Set(Repository.files.map(\.path))
        for path in ["Package.swift", "Sources/kiln/Kiln.swift", "Tests/TidyTests/TidyTests.swift"]
        {
            #expect(paths.contains(path), "\(path) was not read from \(Repository.root)")
        }
        let rooms = Set(Repository.files.compactMap(\.room))
        #expect(rooms == Set(Rooms.ranks.keys), "a room has no files, or is not in the table")
        #expect(paths.allSatisfy { !$0.hasPrefix(".build") && !$0.hasPrefix(".git/") })
    }
}
