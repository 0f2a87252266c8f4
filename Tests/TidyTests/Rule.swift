/// Something that must hold in every file of the repository.
///
/// Each rule brings samples that break it and samples that do not, so that a rule which has gone
/// blind fails its own test.
enum Rule: String, CaseIterable, Sendable {
    case importsLowerRanksOnly
    case pureRoomsImportNothingImpure
    case impureRoomsImportWhatIsListed
    case pureRoomsReadNoClock
    case pureRoomsUseSeededRandomness
    case pureRoomsPrintNothing
    case nothingIsLeftToDoOnMain
    case concurrencyChecksStayOn
    case packageHasNoUnsafeFlags
    case filesAreShort
    case linesAreShort
    case nothingPointsOutside

    /// Lines of `file` that break the rule, each as `path:line: why`.
    func violations(in file: SourceFile) -> [String] {
        let found: [(line: Int, why: String)]
        switch self {
        case .importsLowerRanksOnly: found = Self.rankViolations(file)
        case .pureRoomsImportNothingImpure: found = Self.pureImportViolations(file)
        case .impureRoomsImportWhatIsListed: found = Self.outsideImportViolations(file)
        case .pureRoomsReadNoClock: found = Self.words(Self.clockWords, inPureRoom: file)
        case .pureRoomsPrintNothing: found = Self.words(Self.printWords, inPureRoom: file)
        case .pureRoomsUseSeededRandomness: found = Self.randomViolations(file)
        case .nothingIsLeftToDoOnMain: found = Self.leftoverViolations(file)
        case .concurrencyChecksStayOn: found = Self.concurrencyViolations(file)
        case .packageHasNoUnsafeFlags: found = Self.flagViolations(file)
        case .filesAreShort: found = Self.lengthViolations(file)
        case .linesAreShort: found = Self.widthViolations(file)
        case .nothingPointsOutside: found = Self.outsideViolations(file)
        }
        return found.map { "\(file.path):\($0.line): \($0.why)" }
    }

    /// Lines a Swift file may have: one that is longer is two files.
    static let lineLimit = 400
    /// Columns a line may have, as in `.swift-format`.
    static let columnLimit = 100

    static let clockWords = [
        "ContinuousClock", "SuspendingClock", "DispatchTime", "clock_gettime", "Date(", "Date.now",
        "Task.sleep", "Thread.sleep",
    ]
    static let printWords = [
        "print(", "debugPrint(", "dump(", "Logger", "os_log", "NSLog", "readLine(",
    ]
}

extension Rule {
    typealias Findings = [(line: Int, why: String)]

    private static func rankViolations(_ file: SourceFile) -> Findings {
        guard let room = file.room else { return [] }
        guard let rank = Rooms.ranks[room] else {
            return [(1, "room \(room) is not in the table of rooms in Tests/TidyTests/Rooms.swift")]
        }
        guard file.isSwift else { return [] }
        return Rooms.imports(of: file).compactMap { line, module in
            guard let other = Rooms.ranks[module], other >= rank else { return nil }
            return (line, "\(room) has rank \(rank) and imports \(module) of rank \(other)")
        }
    }

    private static func pureImportViolations(_ file: SourceFile) -> Findings {
        guard let room = file.room, file.isSwift, Rooms.isPure(room) else { return [] }
        return Rooms.imports(of: file).compactMap { line, module in
            let isShim = Rooms.pureShims.contains(module)
            guard !isShim, !Rooms.isPure(module) else { return nil }
            return (line, "\(room) is pure and imports \(module)")
        }
    }

    private static func outsideImportViolations(_ file: SourceFile) -> Findings {
        guard let room = file.room, file.isSwift, !Rooms.isPure(room) else { return [] }
        return Rooms.imports(of: file).compactMap { line, module in
            let isListed = Rooms.outsideImports[room]?.contains(module) ?? false
            guard Rooms.ranks[module] == nil, !isListed else { return nil }
            return (line, "\(room) imports \(module), which Rooms.swift does not list for it")
        }
    }

    private static func words(_ words: [String], inPureRoom file: SourceFile) -> Findings {
        guard let room = file.room, file.isSwift, Rooms.isPure(room) else { return [] }
        return findings(file.codeLines) { line in
            words.first { containsWord($0, in: line) }.map { "\(room) is pure and uses \($0)" }
        }
    }

    private static func randomViolations(_ file: SourceFile) -> Findings {
        guard let room = file.room, file.isSwift, Rooms.isPure(room) else { return [] }
        let calls = [".random(", ".shuffled(", ".shuffle(", ".randomElement("]
        return findings(file.codeLines) { line in
            if containsWord("SystemRandomNumberGenerator", in: line) {
                return "\(room) is pure and uses the system's random numbers"
            }
            let call = calls.first { line.contains($0) && !line.contains("using:") }
            return call.map { "\(room) is pure: \($0)) needs `using:` on the same line" }
        }
    }

    private static func leftoverViolations(_ file: SourceFile) -> Findings {
        // Put together here, so that this file does not break its own rule.
        let markers = ["TO" + "DO", "FIX" + "ME"]
        return findings(file.lines) { line in
            markers.first { containsWord($0, in: line) }.map { "\($0): do it, or file it" }
        }
    }

    private static func concurrencyViolations(_ file: SourceFile) -> Findings {
        guard file.isSwift, let room = file.room else { return [] }
        let escapes = ["@unchecked Sendable", "nonisolated(unsafe)"]
        return findings(file.codeLines) { line, index in
            guard let escape = escapes.first(where: { line.contains($0) }) else { return nil }
            if room != "CacheNode" { return "\(escape) outside CacheNode" }
            let above = index > 0 ? file.lines[index - 1].drop { $0 == " " } : ""
            return above.hasPrefix("//") ? nil : "\(escape) without a comment above that says why"
        }
    }

    private static func flagViolations(_ file: SourceFile) -> Findings {
        guard file.path.split(separator: "/").last == "Package.swift" else { return [] }
        let flags = ["unsafe" + "Flags", "-Ounchecked"]
        return findings(file.lines) { line in
            flags.first { line.contains($0) }.map { "\($0) in a package manifest" }
        }
    }

    private static func lengthViolations(_ file: SourceFile) -> Findings {
        // A text that ends with a line end has an empty last element.
        let count = file.lines.last == "" ? file.lines.count - 1 : file.lines.count
        guard file.isSwift, count > lineLimit else { return [] }
        return [(count, "\(count) lines, at most \(lineLimit)")]
    }

    private static func widthViolations(_ file: SourceFile) -> Findings {
        guard file.isSwift else { return [] }
        return findings(file.lines) { line in
            line.count > columnLimit ? "\(line.count) columns, at most \(columnLimit)" : nil
        }
    }

    private static func outsideViolations(_ file: SourceFile) -> Findings {
        let places = [".." + "/shared", "/wo" + "rk/"]
        return findings(file.lines) { line in
            places.first { line.contains($0) }.map { "refers to \($0), outside the repository" }
        }
    }

    private static func findings(
        _ lines: [String], _ why: (_ line: String) -> String?
    ) -> Findings {
        findings(lines) { line, _ in why(line) }
    }

    private static func findings(
        _ lines: [String], _ why: (_ line: String, _ index: Int) -> String?
    ) -> Findings {
        lines.enumerated().compactMap { index, line in
            why(line, index).map { (index + 1, $0) }
        }
    }

    /// Whether `word` stands in `line` and is not the tail or head of a longer name.
    static func containsWord(_ word: String, in line: String) -> Bool {
        line.ranges(of: word).contains { range in
            let before = line[..<range.lowerBound].last
            let after = line[range.upperBound...].first
            let endsOpen = word.last.map { !isNamePart($0) } ?? true
            return !isNamePart(before) && (endsOpen || !isNamePart(after))
        }
    }

    private static func isNamePart(_ character: Character?) -> Bool {
        guard let character else { return false }
        return character.isLetter || character.isNumber || character == "_"
    }
}
