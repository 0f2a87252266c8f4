import Glibc

/// Three nodes that a demonstration starts, asks, kills and stops; processes are known by their
/// ids, and nothing else is touched.
final class DemoCluster {
    private let directory: String
    private let executable: String
    private var ports: [Int: Int] = [:]
    private var peerPorts: [Int: Int] = [:]
    private var nodes: [Int: pid_t] = [:]

    /// Makes the directory in which the nodes keep what they must remember.
    init() throws(ConsoleError) {
        var template = Array("/tmp/kiln-demo.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw .cannotWrite(file: "/tmp/kiln-demo.XXXXXX", reason: Self.reason)
        }
        directory = String(
            decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        var path = [CChar](repeating: 0, count: 4_096)
        let count = readlink("/proc/self/exe", &path, path.count)
        guard count > 0 else {
            throw .streamFailed(name: "/proc/self/exe", reason: Self.reason)
        }
        executable = String(
            decoding: path[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static var reason: String {
        strerror(errno).map { String(cString: $0) } ?? "errno \(errno)"
    }

    static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Where clients reach a node.
    func address(_ number: Int) -> String { "127.0.0.1:\(ports[number] ?? 0)" }

    // MARK: Nodes

    /// Starts a node; one that was started before keeps its ports.
    func start(_ number: Int) throws(ConsoleError) {
        let portsFile = "\(directory)/ports-\(number)"
        unlink(portsFile)
        var words = [
            "serve", "-p", "\(ports[number] ?? 0)", "-m", "64", "-t", "1", "--node-name",
            "n\(number)", "--data-dir", "\(directory)/data-\(number)", "--peer-listen",
            "127.0.0.1:\(peerPorts[number] ?? 0)", "--ports-file", portsFile,
        ]
        if number > 1, let first = peerPorts[1] { words += ["--join", "127.0.0.1:\(first)"] }
        nodes[number] = try spawn(words, output: "\(directory)/log-\(number)")
        let deadline = Self.now + 10_000_000_000
        while Self.now < deadline {
            if let text = Self.read(portsFile) {
                for line in text.split(separator: "\n") {
                    let parts = line.split(separator: " ")
                    guard parts.count == 2, let port = Int(parts[1]) else { continue }
                    if parts[0] == "client" {
                        ports[number] = port
                    } else {
                        peerPorts[number] = port
                    }
                }
                return
            }
            usleep(10_000)
        }
        throw .timedOut(server: "node n\(number)", seconds: 10)
    }

    /// Kills a node without a word.
    func kill(_ number: Int) {
        guard let node = nodes.removeValue(forKey: number) else { return }
        Glibc.kill(node, SIGKILL)
        finish(node)
    }

    /// Stops what runs and removes the directory.
    func end() {
        for node in nodes.values { Glibc.kill(node, SIGTERM) }
        for node in nodes.values { finish(node) }
        nodes = [:]
        Self.remove(directory)
    }

    private static func remove(_ path: String) {
        if let stream = opendir(path) {
            while let entry = readdir(stream) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if name != ".", name != ".." { remove("\(path)/\(name)") }
            }
            closedir(stream)
        }
        Glibc.remove(path)
    }

    // MARK: Questions

    /// The number of the node that leads.
    func leader() throws(ConsoleError) -> Int {
        let json = try ask(1, ["members"])
        let name = (try? json.optionalText("leader")) ?? nil
        return name.flatMap { Int($0.dropFirst()) } ?? 1
    }

    /// Waits until so many members are alive and own keys; gives how long that took.
    func awaitRing(of count: Int, asking number: Int) throws(ConsoleError) -> Int64 {
        let start = Self.now
        while Self.now - start < 60_000_000_000 {
            let json = try? ask(number, ["members"])
            let members = (try? json?.elements("members")) ?? []
            let ready = members.count { member in
                (try? member.text("state")) == "alive" && (try? member.flag("in_ring")) == true
            }
            if ready == count { return Self.now - start }
            usleep(20_000)
        }
        throw .timedOut(server: "the cluster", seconds: 60)
    }

    /// Waits until a hundred keys, and so every part of the ring, take writes through a node.
    func awaitWrites(asking number: Int, since start: Int64) throws(ConsoleError) -> Int64 {
        let address = try ServerAddress(address(number))
        while Self.now - start < 60_000_000_000 {
            var client = try MemcachedClient(to: address)
            var isRefused = false
            for key in 0..<100 {
                do throws(ConsoleError) {
                    try client.store(
                        "probe:\(key)", value: Array("demo".utf8), flags: 0, ttlSeconds: 0)
                } catch {
                    isRefused = true
                    break
                }
            }
            if !isRefused { return Self.now - start }
            usleep(10_000)
        }
        throw .timedOut(server: "the cluster", seconds: 60)
    }

    /// Some of a node's statistics.
    func statistics(_ number: Int, _ names: [String]) throws(ConsoleError) -> [String] {
        var client = try MemcachedClient(to: try ServerAddress(address(number)))
        let all = try client.statistics("")
        return names.map { name in all.first { $0.name == name }?.value ?? "-" }
    }

    private func ask(_ number: Int, _ words: [String]) throws(ConsoleError) -> JSONText {
        let server = try ServerAddress(address(number))
        var client = try MemcachedClient(to: server)
        let answer = try client.ask(words)
        do throws(JSONProblem) {
            return try JSONText(parsing: answer)
        } catch {
            throw .unexpectedReply(server: server.description, reply: "\(error)")
        }
    }

    // MARK: Commands

    /// Prints a command as one would type it, and runs it.
    func show(_ words: [String], asking number: Int) throws(ConsoleError) {
        let whole = words + ["--server", address(number)]
        try Terminal.write("$ kiln \(whole.joined(separator: " "))\n")
        finish(try begin(whole, isShown: true))
    }

    /// Starts this program with other words.
    func begin(_ words: [String], isShown: Bool = false) throws(ConsoleError) -> pid_t {
        try spawn(words, output: isShown ? nil : "/dev/null")
    }

    /// Waits for the end of a process.
    func finish(_ process: pid_t) {
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
    }

    private func spawn(_ words: [String], output: String?) throws(ConsoleError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let output {
            posix_spawn_file_actions_addopen(
                &actions, STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
            posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
        }
        var arguments: [UnsafeMutablePointer<CChar>?] =
            ([executable] + words).map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var process: pid_t = 0
        let failure = posix_spawn(&process, executable, &actions, nil, &arguments, environ)
        guard failure == 0 else {
            errno = failure
            throw .streamFailed(name: executable, reason: Self.reason)
        }
        return process
    }

    private static func read(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = fread(&buffer, 1, buffer.count, file)
        return String(decoding: buffer[..<count], as: UTF8.self)
    }
}
