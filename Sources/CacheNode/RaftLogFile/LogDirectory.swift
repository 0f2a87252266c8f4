// The directory of the consensus log: reading files whole, and changing them so that a crash leaves
// the old or the new.

import Glibc

/// A directory whose changes are on disk when a call returns.
struct LogDirectory: ~Copyable {
    let path: String
    let calls: FileCalls
    private let descriptor: Int32

    /// Opens the directory, and makes it if it does not exist; only its owner may look into it.
    init(path: String, calls: FileCalls) throws(NodeError) {
        if mkdir(path, 0o700) != 0, errno != EEXIST {
            throw .logFileFailed(call: "mkdir", path: path, code: errno)
        }
        let opened = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard opened >= 0 else {
            throw .logFileFailed(call: "open", path: path, code: errno)
        }
        self.path = path
        self.calls = calls
        descriptor = opened
    }

    deinit { close(descriptor) }

    func path(of name: String) -> String { "\(path)/\(name)" }

    /// The names in it, in ascending order.
    func names() throws(NodeError) -> [String] {
        guard let stream = opendir(path) else {
            throw .logFileFailed(call: "opendir", path: path, code: errno)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// All bytes of a file; nil where there is none.
    func read(_ name: String) throws(NodeError) -> [UInt8]? {
        let file = open(path(of: name), O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw .logFileFailed(call: "open", path: path(of: name), code: errno)
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else {
            throw .logFileFailed(call: "fstat", path: path(of: name), code: errno)
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes {
                Glibc.read(file, $0.baseAddress?.advanced(by: count), $0.count - count)
            }
            if got < 0, errno == EINTR { continue }
            guard got > 0 else {
                throw .logFileFailed(
                    call: "read", path: path(of: name), code: got < 0 ? errno : EIO)
            }
            count += got
        }
        return bytes
    }

    /// Puts a file in the place of the one of that name, whole or not at all.
    func replace(_ name: String, with bytes: [UInt8]) throws(NodeError) {
        let temporary = path(of: name + Self.temporarySuffix)
        let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            throw .logFileFailed(call: "open", path: temporary, code: errno)
        }
        defer { close(file) }
        try append(bytes, to: file, temporary)
        guard calls.rename(temporary, path(of: name)) == 0 else {
            throw .logFileFailed(call: "rename", path: temporary, code: errno)
        }
        try synchronizeNames()
    }

    /// A file that is not whole yet has this after its name.
    static let temporarySuffix = ".new"

    /// Opens a file to append to it.
    func openForAppending(_ name: String) throws(NodeError) -> Int32 {
        let file = open(path(of: name), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            throw .logFileFailed(call: "open", path: path(of: name), code: errno)
        }
        return file
    }

    /// Writes bytes at a file's end and has them on disk before it returns.
    func append(
        _ bytes: [UInt8], to file: Int32, _ path: String
    ) throws(NodeError) {
        var count = 0
        while count < bytes.count {
            let written = bytes.withUnsafeBytes {
                calls.write(file, UnsafeRawBufferPointer(rebasing: $0[count...]))
            }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else {
                throw .logFileFailed(call: "write", path: path, code: written < 0 ? errno : EIO)
            }
            count += written
        }
        guard calls.synchronize(file) == 0 else {
            throw .logFileFailed(call: "fdatasync", path: path, code: errno)
        }
    }

    /// Cuts off what a crash left behind the last whole record.
    func truncate(_ name: String, to length: Int) throws(NodeError) {
        let file = try openForAppending(name)
        defer { close(file) }
        guard calls.truncate(file, length) == 0 else {
            throw .logFileFailed(call: "ftruncate", path: path(of: name), code: errno)
        }
        guard calls.synchronize(file) == 0 else {
            throw .logFileFailed(call: "fdatasync", path: path(of: name), code: errno)
        }
    }

    func remove(_ name: String) throws(NodeError) {
        guard calls.remove(path(of: name)) == 0 else {
            throw .logFileFailed(call: "unlink", path: path(of: name), code: errno)
        }
    }

    /// Has created, renamed and removed names on disk.
    func synchronizeNames() throws(NodeError) {
        guard calls.synchronize(descriptor) == 0 else {
            throw .logFileFailed(call: "fsync", path: path, code: errno)
        }
    }
}
