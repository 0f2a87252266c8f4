import Glibc
import Primitives
import Raft
import Synchronization

@testable import CacheNode

/// A folder for one test, gone afterwards.
final class LogFolder: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/kiln-log-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
        }
        guard let made else { preconditionFailure("no folder under /tmp: \(errno)") }
        path = made
    }

    deinit {
        for name in names { unlink("\(path)/\(name)") }
        rmdir(path)
    }

    var names: [String] {
        guard let directory = try? LogDirectory(path: path, calls: .system) else { return [] }
        return (try? directory.names()) ?? []
    }

    func read(_ name: String) -> [UInt8] {
        guard let directory = try? LogDirectory(path: path, calls: .system) else { return [] }
        return ((try? directory.read(name)) ?? nil) ?? []
    }

    func write(_ name: String, _ bytes: [UInt8]) {
        let file = open("\(path)/\(name)", O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        let written = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
        precondition(written == bytes.count, "wrote \(written) of \(bytes.count)")
        close(file)
    }

    func remove(_ name: String) { unlink("\(path)/\(name)") }

    /// Replaces all files by `files`.
    func restore(_ files: [(name: String, bytes: [UInt8])]) {
        for name in names { remove(name) }
        for file in files { write(file.name, file.bytes) }
    }

    var files: [(name: String, bytes: [UInt8])] { names.map { ($0, read($0)) } }
}

/// Lets a process do so much to a disk and no more: a byte written is a step, and so is each other
/// call.
///
/// Nothing is really synced, which is as good for a process that is killed.
final class StepBudget: Sendable {
    private let left: Synchronization.Mutex<Int>

    init(_ steps: Int) { left = Synchronization.Mutex(steps) }

    var remaining: Int { left.withLock { $0 } }

    private func take(_ wanted: Int) -> Int {
        left.withLock { left in
            let taken = min(left, wanted)
            left -= taken
            return taken
        }
    }

    private func takeOne() -> Bool {
        let isAllowed = take(1) == 1
        if !isAllowed { errno = EIO }
        return isAllowed
    }

    var calls: FileCalls {
        FileCalls(
            write: { descriptor, bytes in
                let allowed = self.take(bytes.count)
                guard allowed > 0 else {
                    errno = EIO
                    return -1
                }
                return Glibc.write(descriptor, bytes.baseAddress, allowed)
            },
            synchronize: { _ in self.takeOne() ? 0 : -1 },
            truncate: { self.takeOne() ? ftruncate($0, off_t($1)) : -1 },
            rename: { self.takeOne() ? Glibc.rename($0, $1) : -1 },
            remove: { self.takeOne() ? unlink($0) : -1 })
    }
}
