// Reports on disk: a whole file or a clear reason.
import Glibc

/// Reads and writes the files of a benchmark.
public enum ReportFile {
    /// Largest report that is read, in bytes: one of a hundred runs has a few MiB.
    static let limitBytes = 256 << 20

    /// Writes `text` to `path`, in place of what is there.
    ///
    /// It is written beside the file first: an interrupted write leaves the old one whole.
    public static func write(_ text: String, to path: String) throws(ConsoleError) {
        if isSpecial(path) { return try writeWhole(text, to: path) }
        let draft = "\(path).\(getpid()).tmp"
        do throws(ConsoleError) {
            try writeWhole(text, to: draft)
        } catch {
            unlink(draft)
            guard case .cannotWrite(_, let reason) = error else { throw error }
            throw .cannotWrite(file: path, reason: reason)
        }
        guard rename(draft, path) == 0 else {
            let reason = systemText(errno)
            unlink(draft)
            throw .cannotWrite(file: path, reason: reason)
        }
    }

    /// The whole of `path`.
    public static func read(_ path: String) throws(ConsoleError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw .unreadableReport(file: path, reason: systemText(errno))
        }
        defer { close(descriptor) }
        var contents: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 { return contents }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw .unreadableReport(file: path, reason: systemText(errno))
            }
            contents += chunk[..<count]
            guard contents.count <= limitBytes else {
                throw .unreadableReport(file: path, reason: "larger than \(limitBytes) bytes")
            }
        }
    }

    /// Whether `path` is there and no regular file, as /dev/stdout or a pipe: nothing to replace.
    private static func isSpecial(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT != S_IFREG
    }

    private static func writeWhole(_ text: String, to path: String) throws(ConsoleError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .cannotWrite(file: path, reason: systemText(errno)) }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { all in
                Glibc.write(descriptor, all.baseAddress.map { $0 + written }, bytes.count - written)
            }
            if count >= 0 {
                written += count
            } else if errno != EINTR {
                throw .cannotWrite(file: path, reason: systemText(errno))
            }
        }
    }
}
