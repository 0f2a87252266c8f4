// A real node in a process of its own: the built `kiln`, on ports that it chose itself.
import Glibc
import Synchronization

/// What a node's tests could not do.
enum NodeTestError: Error, CustomStringConvertible {
    case system(String, Int32)
    case didNotStart(String)
    case timeout(String)
    case closed(String)

    var description: String {
        switch self {
        case .system(let call, let code): "\(call): \(String(cString: strerror(code)))"
        case .didNotStart(let log): "the node did not start: \(log)"
        case .timeout(let what): "nothing came in time: \(what)"
        case .closed(let what): "the connection was closed: \(what)"
        }
    }
}

/// A running node, ended with its last reference.
final class NodeProcess: Sendable {
    let processIdentifier: pid_t
    /// The ports it listens on, one for each address.
    let ports: [Int]
    /// The port that other nodes connect to; 0 where there is none.
    let peerPort: Int
    /// Where its files are; removed with it.
    let directory: String
    private let exitStatus = Mutex<Int32?>(nil)

    var port: Int { ports[0] }

    /// Starts `kiln serve -p 0 <arguments>` and waits until it serves.
    ///
    /// With `socketName` it serves on a unix socket of that name in ``directory`` instead.
    init(_ arguments: String..., socketName: String? = nil) throws {
        var template = Array("/tmp/kiln-node-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw NodeTestError.system("mkdtemp", errno) }
        let folder = String(
            decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        directory = folder
        let portsFile = folder + "/ports"
        var words = [try Self.executable(), "serve", "--ports-file", portsFile]
        words += socketName.map { ["-s", folder + "/" + $0] } ?? ["-p", "0"]
        words += arguments.flatMap { $0.split(separator: " ").map(String.init) }
        let (pid, log) = try Self.spawn(words)
        processIdentifier = pid
        // The ports file is complete before the first line is logged.
        let text = Self.readLog(log, until: "serving on")
        close(log)
        let lines = Self.lines(ofFile: portsFile)
        ports = lines.compactMap { $0.hasPrefix("client ") ? Int($0.dropFirst(7)) : nil }
        peerPort =
            lines.lazy.compactMap { $0.hasPrefix("peer ") ? Int($0.dropFirst(5)) : nil }
            .first ?? 0
        guard text.contains("serving on") else { throw NodeTestError.didNotStart(text) }
    }

    private static func readLog(_ log: Int32, until end: String) -> String {
        var text = ""
        while !text.contains(end) {
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = read(log, &buffer, buffer.count)
            guard count > 0 else { break }
            text += String(decoding: buffer[0..<count], as: UTF8.self)
        }
        return text
    }

    deinit {
        if exitStatus.withLock({ $0 }) == nil {
            kill(processIdentifier, SIGKILL)
            waitpid(processIdentifier, nil, 0)
        }
        for name in ["ports", "ports.tmp", "socket"] { unlink(directory + "/" + name) }
        rmdir(directory)
    }

    /// Sends a signal.
    func signal(_ number: Int32) {
        kill(processIdentifier, number)
    }

    /// Waits for the process and gives its exit code; a signal that ended it is negative.
    func wait() -> Int32 {
        exitStatus.withLock { known in
            if let known { return known }
            var status: Int32 = 0
            waitpid(processIdentifier, &status, 0)
            let ended = status & 0x7f
            let code = ended == 0 ? status >> 8 & 0xff : -ended
            known = code
            return code
        }
    }

    /// Kilobytes of memory the process has in use, as the system counts them.
    func residentKilobytes() -> Int {
        let lines = Self.lines(ofFile: "/proc/\(processIdentifier)/status")
        let words = lines.first { $0.hasPrefix("VmRSS:") }?.split(separator: " ") ?? []
        return words.count > 1 ? Int(words[1]) ?? 0 : 0
    }

    // MARK: Starting

    /// `kiln` lies beside the test bundle.
    private static func executable() throws -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        guard count > 0 else { throw NodeTestError.system("readlink", errno) }
        let path = String(decoding: buffer[0..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let folder = path.split(separator: "/").dropLast().joined(separator: "/")
        return "/" + folder + "/kiln"
    }

    private static func spawn(_ words: [String]) throws -> (pid: pid_t, log: Int32) {
        var ends: [Int32] = [0, 0]
        guard pipe2(&ends) == 0 else { throw NodeTestError.system("pipe", errno) }
        defer { close(ends[1]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
        var pid = pid_t()
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        let code = posix_spawn(&pid, words[0], &actions, nil, &arguments, environ)
        guard code == 0 else {
            close(ends[0])
            throw NodeTestError.system("cannot start \(words[0])", code)
        }
        return (pid, ends[0])
    }

    /// A pipe that children do not inherit.
    private static func pipe2(_ ends: inout [Int32]) -> Int32 {
        guard pipe(&ends) == 0 else { return -1 }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return 0
    }

    private static func lines(ofFile path: String) -> [String] {
        guard let file = fopen(path, "r") else { return [] }
        defer { fclose(file) }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 {
            text += buffer[0..<count]
        }
        return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
