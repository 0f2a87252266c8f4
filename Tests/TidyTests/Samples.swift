extension Rule {
    private static func swift(_ room: String, _ text: String) -> SourceFile {
        SourceFile(path: "Sources/\(room)/Sample.swift", text: text)
    }

    /// Files that break the rule, one way each.
    var planted: [SourceFile] {
        switch self {
        case .importsLowerRanksOnly:
            [
                Self.swift("Primitives", "import Storage"),
                Self.swift("Storage", "import MemcacheProtocol"),
                Self.swift("Storage", "public import struct DataPlane.ShardInstance"),
                Self.swift("DataPlane", "@preconcurrency import CacheNode"),
                Self.swift("CacheNode", "#if DEBUG\n@testable import Console\n#endif"),
                Self.swift("Cellar", "let room = 1"),
            ]
        case .pureRoomsImportNothingImpure:
            [
                Self.swift("Primitives", "import Foundation"),
                Self.swift("MemcacheProtocol", "import Glibc"),
                Self.swift("Storage", "internal import Dispatch"),
                Self.swift("DataPlane", "import Synchronization"),
                Self.swift("DataPlane", "import Musl"),
                Self.swift("Storage", "import CLinux"),
                Self.swift("Storage", "import class Foundation.NSLock"),
            ]
        case .impureRoomsImportWhatIsListed:
            [
                Self.swift("CacheNode", "import Foundation"),
                Self.swift("kiln", "import Dispatch"),
                Self.swift("Console", "import FoundationEssentials"),
            ]
        case .pureRoomsReadNoClock:
            [
                Self.swift("Storage", "let now = ContinuousClock().now"),
                Self.swift("DataPlane", "let clock: SuspendingClock"),
                Self.swift("Primitives", "let now = Date()"),
                Self.swift("Storage", "let now = \"\"\"\n//\n\"\"\"; clock_gettime(0, &time)"),
            ]
        case .pureRoomsUseSeededRandomness:
            [
                Self.swift("Storage", "let step = Int.random(in: 0..<4)"),
                Self.swift("DataPlane", "let coin = Bool.random()"),
                Self.swift("Storage", "let order = items.shuffled()"),
                Self.swift("Storage", "items.shuffle()"),
                Self.swift("Storage", "let one = items.randomElement()"),
                Self.swift("Primitives", "var source = SystemRandomNumberGenerator()"),
            ]
        case .pureRoomsPrintNothing:
            [
                Self.swift("Storage", "print(\"evicted\")"),
                Self.swift("DataPlane", "let logger: Logger"),
                Self.swift("Primitives", "/* a */ debugPrint(1)"),
            ]
        case .nothingIsLeftToDoOnMain:
            [
                Self.swift("Storage", "// TO" + "DO: evict"),
                Self.swift("kiln", "let x = 1  // FIX" + "ME"),
                SourceFile(path: "docs/guide.md", text: "# Guide\n\nTO" + "DO\n"),
            ]
        case .concurrencyChecksStayOn:
            [
                Self.swift("Storage", "// Fine, surely.\nextension Store: @unchecked Sendable {}"),
                Self.swift("CacheNode", "extension Loop: @unchecked Sendable {}"),
                Self.swift("CacheNode", "// Why.\n\nnonisolated(unsafe) var count = 0"),
            ]
        case .packageHasNoUnsafeFlags:
            [
                SourceFile(path: "Package.swift", text: "swiftSettings: [.unsafe" + "Flags([])]"),
                SourceFile(path: "Benchmarks/Micro/Package.swift", text: "[\"-Ounchecked\"]"),
            ]
        case .filesAreShort:
            [Self.swift("Storage", String(repeating: "let x = 1\n", count: Self.lineLimit + 1))]
        case .linesAreShort:
            [
                Self.swift("Storage", String(repeating: "x", count: Self.columnLimit + 1)),
                SourceFile(
                    path: "Tests/A/A.swift", text: "\n" + String(repeating: "é", count: 101)),
            ]
        case .nothingPointsOutside:
            [
                Self.swift("Storage", "// see .." + "/shared/notes"),
                SourceFile(path: "Makefile", text: "run:\n\t/wo" + "rk/tool\n"),
            ]
        }
    }

    /// Files that come near to breaking the rule and do not.
    var clean: [SourceFile] {
        switch self {
        case .importsLowerRanksOnly:
            [
                Self.swift("DataPlane", "public import Storage\nimport MemcacheProtocol"),
                Self.swift("Storage", "// import DataPlane\nlet text = \"import DataPlane\""),
                SourceFile(path: "Tests/StorageTests/A.swift", text: "import DataPlane"),
                SourceFile(path: "Sources/CLinux/shim.h", text: "#include <errno.h>"),
            ]
        case .pureRoomsImportNothingImpure:
            [
                Self.swift("Primitives", "import CIntrinsics\ninternal import CXXHash"),
                Self.swift("CacheNode", "import Glibc"),
                Self.swift("Storage", "/* import Glibc\n/* nested */ import Foundation */"),
            ]
        case .impureRoomsImportWhatIsListed:
            [
                Self.swift("CacheNode", "import Glibc\nimport Logging\nimport DataPlane"),
                SourceFile(path: "Tests/A/A.swift", text: "import Foundation"),
            ]
        case .pureRoomsReadNoClock:
            [
                Self.swift("Storage", "/// Unlike ContinuousClock, `Date()` is not read here."),
                Self.swift("Storage", "let upDate = expiryDate(now)"),
                Self.swift("CacheNode", "let now = ContinuousClock().now"),
            ]
        case .pureRoomsUseSeededRandomness:
            [
                Self.swift("Storage", "let step = Int.random(in: 0..<4, using: &random)"),
                Self.swift("Storage", "items.shuffle(using: &random)"),
                Self.swift("CacheNode", "let step = Int.random(in: 0..<4)"),
            ]
        case .pureRoomsPrintNothing:
            [
                Self.swift("Storage", "let text = #\"print(\"x\")\"#\nlet b = blueprint(1)"),
                Self.swift("kiln", "print(1)"),
            ]
        case .nothingIsLeftToDoOnMain:
            [Self.swift("Storage", "let MASTODONS = 1  // todos los santos")]
        case .concurrencyChecksStayOn:
            [
                Self.swift("CacheNode", "// One thread only.\nclass A: @unchecked Sendable {}"),
                Self.swift("Storage", "/// Never `@unchecked Sendable`."),
            ]
        case .packageHasNoUnsafeFlags:
            [SourceFile(path: "Package.swift", text: ".treatAllWarnings(as: .error)")]
        case .filesAreShort:
            [
                Self.swift("Storage", String(repeating: "let x = 1\n", count: Self.lineLimit)),
                SourceFile(path: "a.py", text: String(repeating: "x = 1\n", count: 500)),
            ]
        case .linesAreShort:
            [
                Self.swift("Storage", String(repeating: "é", count: Self.columnLimit)),
                SourceFile(path: "README.md", text: String(repeating: "x", count: 200)),
            ]
        case .nothingPointsOutside:
            [SourceFile(path: "docs/a.md", text: "shared work, shared/memory, at work/")]
        }
    }
}
