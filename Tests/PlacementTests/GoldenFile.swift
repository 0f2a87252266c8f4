// Answers that must never change, kept in files beside the tests.
import FoundationEssentials

/// A text file of the folder Golden.
struct GoldenFile {
    /// Its lines that are not comments, split at the first space.
    let lines: [(name: String, text: String)]

    init(_ name: String) throws {
        let folder = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        let text = try String(
            contentsOf: URL(filePath: "/\(folder)/Golden/\(name)"), encoding: .utf8)
        lines = text.split(separator: "\n").compactMap { line in
            guard !line.hasPrefix("#"), let space = line.firstIndex(of: " ") else { return nil }
            return (String(line[..<space]), String(line[line.index(after: space)...]))
        }
    }

    /// The rest of every line that begins with `name`.
    subscript(name: String) -> [String] {
        lines.compactMap { $0.name == name ? $0.text : nil }
    }
}
