import CacheNode
import Testing

@Suite struct NodeConfigurationTests {
    @Test(arguments: [(0, 1), (1, 1), (2, 2), (4, 4), (64, 4)])
    func loopsFollowTheCores(_ cores: Int, _ threads: Int) throws {
        let configuration = NodeConfiguration(cores: cores)
        #expect(configuration.threads == threads)
        try configuration.validate()
    }

    @Test func theDefaultsFaceNoNetwork() {
        #expect(NodeConfiguration(cores: 1).listen == [ListenAddress(host: "127.0.0.1")])
        #expect(!NodeConfiguration(cores: 1).allowsShutdown)
    }

    typealias Change = @Sendable (inout NodeConfiguration) -> Void

    static let edges: [(String, Change, isLegal: Bool)] = [
        ("-p", { $0.port = 0 }, true), ("-p", { $0.port = 65535 }, true),
        ("-p", { $0.port = -1 }, false), ("-p", { $0.port = 65536 }, false),
        ("-p", { $0.listen = [ListenAddress(host: "a", port: 70000)] }, false),
        ("-t", { $0.threads = 1 }, true), ("-t", { $0.threads = 64 }, true),
        ("-t", { $0.threads = 0 }, false), ("-t", { $0.threads = 65 }, false),
        ("-c", { $0.connectionLimit = 1 }, true), ("-c", { $0.connectionLimit = 0 }, false),
        ("-c", { $0.connectionLimit = 1_048_577 }, false),
        ("-m", { $0.memoryLimitBytes = 2 << 20 }, true),
        ("-m", { $0.memoryLimitBytes = 0 }, false),
        ("-I", { $0.itemSizeLimitBytes = 32 << 20 }, true),
        ("-I", { $0.itemSizeLimitBytes = 32 << 20 + 1 }, false),
        ("-I", { $0.itemSizeLimitBytes = 1023 }, false),
        ("-b", { $0.backlog = 0 }, false), ("-R", { $0.requestsPerEvent = 0 }, false),
        ("-a", { $0.unixSocketMask = 0o1000 }, false),
        ("--idle-timeout", { $0.idleTimeoutSeconds = -1 }, false),
        ("-l", { $0.listen = [] }, false),
        ("-s", { $0.unixSocketPath = String(repeating: "x", count: 107) }, true),
        ("-s", { $0.unixSocketPath = String(repeating: "x", count: 108) }, false),
    ]

    @Test(arguments: edges.indices)
    func everyLimitHoldsAtItsEdge(_ index: Int) {
        let (flag, change, isLegal) = Self.edges[index]
        var configuration = NodeConfiguration(cores: 2)
        change(&configuration)
        var caught: NodeError?
        do throws(NodeError) { try configuration.validate() } catch { caught = error }
        #expect((caught == nil) == isLegal, "case \(index), \(flag)")
        guard let caught else { return }
        #expect(caught.exitCode == 78)
        #expect(caught.description.contains(flag), "\(caught) should name \(flag)")
    }
}
