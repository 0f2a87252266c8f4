// The system calls by which the consensus log changes the disk: one place, so that a test can stop
// a node between any two bytes.

import Glibc

/// Calls that change a file or a directory; each returns what the system call returns and leaves
/// its reason in `errno`.
struct FileCalls: Sendable {
    var write: @Sendable (_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int
    /// Has a file's content, or a directory's names, on disk.
    var synchronize: @Sendable (_ descriptor: Int32) -> Int32
    var truncate: @Sendable (_ descriptor: Int32, _ length: Int) -> Int32
    var rename: @Sendable (_ from: String, _ to: String) -> Int32
    var remove: @Sendable (_ path: String) -> Int32

    /// The kernel's own.
    static let system = FileCalls(
        write: { Glibc.write($0, $1.baseAddress, $1.count) },
        synchronize: { fdatasync($0) },
        truncate: { ftruncate($0, off_t($1)) },
        rename: { Glibc.rename($0, $1) },
        remove: { unlink($0) })
}
