// Which process on this machine is the server: the one that listens on its port.
import Glibc

/// Finds servers among the processes of this machine.
enum LocalProcess {
    /// The processes that listen on TCP `port`, as far as this user may know; empty when none does.
    static func identifiers(listeningOn port: Int) -> [Int32] {
        let sockets = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap { path in
            listeningSockets(in: readSmallFile(path) ?? "", port: port)
        }
        guard !sockets.isEmpty else { return [] }
        let targets = sockets.map { "socket:[\($0)]" }
        return names(inFolder: "/proc").compactMap { Int32($0) }.filter { process in
            let folder = "/proc/\(process)/fd"
            return names(inFolder: folder).contains { name in
                link("\(folder)/\(name)").map(targets.contains) ?? false
            }
        }.sorted()
    }

    /// The inodes of the sockets that listen on `port`, from the text of a /proc/net/tcp.
    ///
    /// Columns (proc(5)): number, local address:port, remote address:port, state (0A listens), two
    /// pairs of counters, three more numbers, inode.
    static func listeningSockets(in text: String, port: Int) -> [String] {
        text.split(separator: "\n").dropFirst().compactMap { line in
            let words = line.split(separator: " ")
            guard words.count > 9, words[3] == "0A",
                let ending = words[1].split(separator: ":").last, Int(ending, radix: 16) == port
            else { return nil }
            return String(words[9])
        }
    }

    /// What a symbolic link says.
    private static func link(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 64)
        let count = readlink(path, &buffer, buffer.count)
        guard count > 0 else { return nil }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
