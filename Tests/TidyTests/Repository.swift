import FoundationEssentials
import Testing

/// One file of the repository: where it is and what it says.
struct SourceFile: Sendable {
    /// Path from the repository's root, with slashes.
    let path: String
    let text: String
    /// The text's lines, with everything in them.
    let lines: [String]
    /// The same lines without comments and without what is inside string literals.
    let codeLines: [String]

    init(path: String, text: String) {
        self.path = path
        self.text = text
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        codeLines = path.hasSuffix(".swift") ? codeOnly(text) : lines
    }

    /// Whether it is Swift.
    var isSwift: Bool { path.hasSuffix(".swift") }

    /// The room it belongs to: the folder under Sources.
    var room: String? {
        let parts = path.split(separator: "/")
        return parts.count > 2 && parts[0] == "Sources" ? String(parts[1]) : nil
    }
}

/// The repository these tests stand in, read from disk once.
enum Repository {
    /// What is not part of the project: built, fetched or generated.
    static let skippedNames = [
        ".git", ".venv", ".hypothesis", ".pytest_cache", ".ruff_cache", "dist", "node_modules",
        "__pycache__",
    ]
    /// Files above this size are data, not text to keep tidy.
    static let sizeLimitBytes = 1 << 20

    /// The root: two folders above this file's.
    static let root: String = {
        let parts = #filePath.split(separator: "/").dropLast(3)
        return "/" + parts.joined(separator: "/")
    }()

    /// Every text file, ordered by path.
    static let files: [SourceFile] = {
        var files: [SourceFile] = []
        var pending = [""]
        while let folder = pending.popLast() {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: root + folder)) ?? []
            for name in names.sorted() {
                let path = "\(folder)/\(name)"
                guard !skippedNames.contains(name), !name.hasPrefix(".build") else { continue }
                var isFolder = false
                guard FileManager.default.fileExists(atPath: root + path, isDirectory: &isFolder)
                else { continue }
                if isFolder {
                    pending.append(path)
                } else if let file = textFile(String(path.dropFirst())) {
                    files.append(file)
                }
            }
        }
        return files.sorted { $0.path < $1.path }
    }()

    /// The file, or nil when it is not text.
    private static func textFile(_ path: String) -> SourceFile? {
        guard let data = FileManager.default.contents(atPath: "\(root)/\(path)"),
            data.count <= sizeLimitBytes, !data.prefix(4096).contains(0),
            let text = String(validating: data, as: UTF8.self)
        else { return nil }
        return SourceFile(path: path, text: text)
    }
}
