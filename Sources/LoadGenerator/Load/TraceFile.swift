// A recorded stream of operations, replayed as load.
import Glibc

/// The operations of a CSV file with the columns op, key and size, held in memory.
///
/// `op` is `get` or `set` (case does not matter), `size` is the value's bytes and may be empty for
/// a get. A first line that names the columns is skipped. Fields may not hold commas or quotes.
public struct TraceFile: Equatable, Sendable {
    /// One operation.
    struct Operation: Equatable, Sendable {
        var isWrite: Bool
        /// Where its key begins in ``keyBytes``.
        var keyStart: Int
        var keyCount: UInt8
        var valueBytes: Int32
    }

    /// The operations in order; never empty.
    var operations: [Operation] = []
    /// All keys, one behind the other.
    var keyBytes: [UInt8] = []

    /// Most operations of a trace: they lie in memory, about 50 bytes each.
    public static let operationLimit = 20_000_000
    /// Largest trace file in bytes.
    public static let fileLimitBytes = 2 << 30

    /// Reads `file`.
    public init(reading file: String) throws(LoadError) {
        try self.init(Self.contents(of: file), name: file)
    }

    /// Reads the bytes of a trace; `name` is for errors.
    init(_ bytes: [UInt8], name: String) throws(LoadError) {
        var lineNumber = 0
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            lineNumber += 1
            let text = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            if text.isEmpty || (lineNumber == 1 && text.starts(with: Array("op,".utf8))) {
                continue
            }
            guard operations.count < Self.operationLimit else {
                throw .unreadableTrace(
                    file: name, line: lineNumber,
                    reason: "more than \(Self.operationLimit) operations: cut the file")
            }
            do throws(Problem) {
                try append(text)
            } catch {
                throw .unreadableTrace(file: name, line: lineNumber, reason: error.text)
            }
        }
        guard !operations.isEmpty else {
            throw .unreadableTrace(file: name, line: 0, reason: "no operations in it")
        }
    }

    private struct Problem: Error {
        var text: String
    }

    private mutating func append(_ line: ArraySlice<UInt8>) throws(Problem) {
        let fields = line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        guard fields.count == 2 || fields.count == 3 else {
            throw Problem(text: "expected op,key,size, found \(fields.count) fields")
        }
        let isWrite: Bool
        switch String(decoding: fields[0], as: UTF8.self).lowercased() {
        case "get": isWrite = false
        case "set": isWrite = true
        default: throw Problem(text: "the operation must be get or set")
        }
        let key = fields[1]
        guard (1...250).contains(key.count), key.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            throw Problem(text: "a key has 1 through 250 bytes, no space or control character")
        }
        let sizeText = fields.count == 3 ? String(decoding: fields[2], as: UTF8.self) : ""
        let size = sizeText.isEmpty && !isWrite ? 0 : Int(sizeText)
        guard let size, (0...LoadSettings.valueLimitBytes).contains(size) else {
            throw Problem(text: "the size must be 0 through \(LoadSettings.valueLimitBytes)")
        }
        operations.append(
            Operation(
                isWrite: isWrite, keyStart: keyBytes.count, keyCount: UInt8(key.count),
                valueBytes: Int32(size)))
        keyBytes += key
    }

    /// How many operations it holds.
    public var operationCount: Int { operations.count }

    /// The largest value written.
    var largestValue: Int { operations.reduce(0) { max($0, Int($1.valueBytes)) } }

    private static func contents(of file: String) throws(LoadError) -> [UInt8] {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw .unreadableTrace(file: file, line: 0, reason: systemText(errno))
        }
        defer { close(descriptor) }
        var contents: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count == 0 { return contents }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw .unreadableTrace(file: file, line: 0, reason: systemText(errno))
            }
            contents += chunk[..<count]
            guard contents.count <= fileLimitBytes else {
                throw .unreadableTrace(
                    file: file, line: 0, reason: "larger than \(fileLimitBytes) bytes: cut it")
            }
        }
    }
}

/// The system's text for an error number.
func systemText(_ code: Int32) -> String {
    String(cString: strerror(code))
}
