import Testing

@Suite struct FairnessTests {
    @Test("a long pipeline gives way after -R requests, and every reply comes, in order")
    func pipelinesTakeTurns() throws {
        let node = try NodeProcess("-t 1 -R 3")
        let clients = try (0..<8).map { _ in try TextClient(port: node.port) }
        let requests = 500
        for (number, client) in clients.enumerated() {
            var pipeline = ""
            for request in 0..<requests {
                pipeline += "set k\(number) 0 0 4\r\n\(1000 + request)\r\nget k\(number)\r\n"
            }
            try client.send(pipeline)
        }
        for (number, client) in clients.enumerated() {
            for request in 0..<requests {
                #expect(try client.line() == "STORED")
                #expect(try client.line() == "VALUE k\(number) 0 4")
                #expect(try client.line() == "\(1000 + request)")
                #expect(try client.line() == "END")
            }
        }
        // Eight connections that are ready together cannot all run to their ends in one turn.
        #expect(try #require(try clients[0].statistic("conn_yields")) > 0)
    }
}
