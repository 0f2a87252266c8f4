// Several real nodes that share their keys.
import Glibc

/// Nodes of a fixed cluster, ended with their last reference.
final class NodeCluster {
    let directory: String
    let peerPorts: [Int]
    private(set) var nodes: [NodeProcess] = []

    /// Starts one node for each weight and waits until every pair has met.
    init(weights: [Int], threads: Int = 1) throws {
        var template = Array("/tmp/kiln-cluster-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw NodeTestError.system("mkdtemp", errno) }
        directory = String(
            decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        peerPorts = try Self.freePorts(weights.count)
        try Self.write(
            Self.description(weights, peerPorts), to: directory + "/cluster")
        for position in weights.indices {
            nodes.append(try start(position, threads: threads))
        }
        for node in nodes { try awaitOwners(through: node) }
    }

    deinit {
        nodes.removeAll()
        unlink(directory + "/cluster")
        rmdir(directory)
    }

    /// The text of a cluster file.
    static func description(
        _ weights: [Int], _ ports: [Int], identifier: Int = 7, epoch: Int = 1
    ) -> String {
        "cluster \(identifier) \(epoch)\n"
            + zip(weights, ports).enumerated().map { position, node in
                "node n\(position) 127.0.0.1 \(node.1) \(node.0)\n"
            }.joined()
    }

    private func start(_ position: Int, threads: Int) throws -> NodeProcess {
        try NodeProcess(
            "-t \(threads) --static-cluster \(directory)/cluster --node-name n\(position)")
    }

    /// Starts a node again that has ended.
    func restart(_ position: Int) throws {
        nodes[position] = try start(position, threads: 1)
    }

    func client(_ position: Int) throws -> TextClient {
        try TextClient(to: nodes[position])
    }

    /// Waits until writes through a node reach every owner: a few hundred keys meet them all.
    func awaitOwners(through node: NodeProcess) throws {
        let client = try TextClient(to: node)
        let deadline = time(nil) + 20
        while time(nil) < deadline {
            var isReached = true
            for key in 0..<64 where try client.ask("touch warm-\(key) 0") != "NOT_FOUND" {
                isReached = false
                break
            }
            if isReached { return }
            usleep(20_000)
        }
        throw NodeTestError.timeout("the nodes do not meet")
    }

    static func write(_ text: String, to path: String) throws {
        guard let file = fopen(path, "w") else { throw NodeTestError.system("fopen", errno) }
        fputs(text, file)
        fclose(file)
    }

    /// Ports that nobody listens on, below those that the system gives to whoever asks for any.
    static func freePorts(_ count: Int) throws -> [Int] {
        var sockets: [Int32] = []
        defer { for one in sockets { close(one) } }
        return try (0..<count).map { _ in
            let one = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            sockets.append(one)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            inet_pton(AF_INET, "127.0.0.1", &address.sin_addr)
            for _ in 0..<100 {
                let port = Int.random(in: 20_000..<32_000)
                address.sin_port = in_port_t(port).bigEndian
                let failure = withUnsafePointer(to: &address) { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        bind(one, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                    }
                }
                if failure == 0 { return port }
            }
            throw NodeTestError.system("bind", errno)
        }
    }
}
