// Several real nodes that share their keys.
import Glibc

/// Nodes of a cluster, ended with their last reference.
final class NodeCluster {
    let directory: String
    private let weights: [Int]
    private let threads: Int
    private(set) var nodes: [NodeProcess] = []

    /// Starts one node for each weight and waits until every pair has met; the first that owns keys
    /// founds the cluster.
    init(weights: [Int], threads: Int = 1) throws {
        var template = Array("/tmp/kiln-cluster-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw NodeTestError.system("mkdtemp", errno) }
        directory = String(
            decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        self.weights = weights
        self.threads = threads
        let founder = weights.firstIndex { $0 > 0 } ?? 0
        let first = try start(founder, joining: nil)
        nodes = try weights.indices.map { position in
            position == founder ? first : try start(position, joining: first)
        }
        for node in nodes { try awaitOwners(through: node) }
    }

    deinit {
        nodes.removeAll()
        Self.remove(directory)
    }

    private func start(_ position: Int, joining other: NodeProcess?) throws -> NodeProcess {
        let join = other.map { "--join 127.0.0.1:\($0.peerPort)" } ?? ""
        return try NodeProcess(
            """
            -t \(threads) --node-name n\(position) --weight \(weights[position]) \
            --peer-listen 127.0.0.1:0 --data-dir \(directory)/n\(position) \(join)
            """)
    }

    /// Starts a node again that has ended: on other ports, with what its directory holds.
    func restart(_ position: Int) throws {
        let other = nodes.indices.first { $0 != position }
        nodes[position] = try start(position, joining: other.map { nodes[$0] })
    }

    func client(_ position: Int) throws -> TextClient {
        try TextClient(to: nodes[position])
    }

    /// Waits until a node's table has all nodes and writes through it reach every owner: a few
    /// dozen keys meet them all.
    func awaitOwners(through node: NodeProcess) throws {
        let client = try TextClient(to: node)
        let deadline = time(nil) + 30
        while time(nil) < deadline {
            let listed = try client.list("config get cluster").joined().count { $0 == "|" } / 2
            var isReached = listed == weights.count
            for key in 0..<64 where try client.ask("touch warm-\(key) 0") != "NOT_FOUND" {
                isReached = false
                break
            }
            if isReached { return }
            usleep(20_000)
        }
        throw NodeTestError.timeout("the nodes do not meet")
    }

    /// Removes a directory and all in it.
    static func remove(_ path: String) {
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
}
