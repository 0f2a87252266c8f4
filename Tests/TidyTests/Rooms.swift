/// The rooms of the house and their ranks: ARCHITECTURE.md is the map, this table is the law.
enum Rooms {
    /// A room may import rooms of lower rank only, never one of its own rank.
    static let ranks: [String: Int] = [
        "CIntrinsics": 0, "CXXHash": 0, "CLinux": 0, "COpenSSL": 0,
        "Primitives": 1,
        "MemcacheProtocol": 2, "Storage": 2, "HotKeys": 2, "Placement": 2, "SWIM": 2, "Raft": 2,
        "DataPlane": 3, "ControlPlane": 3,
        "CacheNode": 4, "LoadGenerator": 4,
        "Console": 5,
        "kiln": 6,
    ]

    /// Ranks whose rooms are pure: inputs, time and seed come in, effects go out.
    static let pureRanks = 1...3

    /// Shims without a system call or state, which pure rooms may import.
    static let pureShims = ["CIntrinsics", "CXXHash"]

    /// What an impure room may import from outside, beside the standard library.
    static let outsideImports: [String: [String]] = [
        "CacheNode": ["Glibc", "Logging", "Synchronization"],
        "LoadGenerator": ["Glibc", "Histogram", "Synchronization"],
        "Console": ["Glibc", "Histogram"],
        "kiln": ["ArgumentParser", "Glibc", "Logging"],
    ]

    /// Whether `room` is pure.
    static func isPure(_ room: String) -> Bool {
        ranks[room].map(pureRanks.contains) ?? false
    }

    /// The modules that `file` imports, with their line numbers, counted from 1.
    static func imports(of file: SourceFile) -> [(line: Int, module: String)] {
        var imports: [(line: Int, module: String)] = []
        for (index, line) in file.codeLines.enumerated() {
            let words = line.split { $0 == " " || $0 == ";" }.map(String.init)
            guard let position = words.firstIndex(of: "import"), position + 1 < words.count else {
                continue
            }
            // Attributes and an access level may stand before it, a kind of declaration after it.
            let isImport = words[..<position].allSatisfy {
                $0.hasPrefix("@") || accessLevels.contains($0)
            }
            guard isImport else { continue }
            var name = words[position + 1]
            if declarationKinds.contains(name), position + 2 < words.count {
                name = words[position + 2]
            }
            imports.append((index + 1, String(name.prefix { $0 != "." })))
        }
        return imports
    }

    private static let accessLevels = ["public", "package", "internal", "fileprivate", "private"]
    private static let declarationKinds = [
        "struct", "class", "enum", "protocol", "func", "var", "let", "typealias",
    ]
}
