import Testing

/// Crowds that come and go, as a client and somebody who looks on see them.
@Suite(.serialized) struct HotKeyCrowdTests {
    /// A node under gets of keys that never come twice, some of them replaced by a crowd's key.
    final class Scene {
        let node: NodeProcess
        private let client: TextClient
        private let watcher: TextClient
        private let clock = ContinuousClock()
        private var sent = 0

        init() throws {
            node = try NodeProcess("-t 2")
            client = try TextClient(port: node.port)
            watcher = try TextClient(port: node.port)
        }

        /// Sends gets at some 10,000 a second until `condition` holds, `hot` of 10 for `key`; gives
        /// how long that took.
        func run(
            _ key: String, hot: Int, limit: Duration, until condition: (Scene) throws -> Bool
        ) throws -> Duration {
            let start = clock.now
            var due = start
            while clock.now - start < limit {
                var pipeline = ""
                for number in 0..<50 {
                    sent += 1
                    pipeline += "get \(number % 10 < hot ? key : "cold:\(sent)")\r\n"
                }
                try client.send(pipeline + "mn\r\n")
                while try client.line() != "MN" {}
                if try condition(self) { return clock.now - start }
                due = due.advanced(by: .milliseconds(5))
                while clock.now < due {}
            }
            return limit
        }

        /// The JSON that the node answers to `kiln <words>`.
        func ask(_ words: String) throws -> String {
            let head = try watcher.ask("kiln \(words)")
            guard head.hasPrefix("VALUE kiln 0 "), let json = try watcher.line(),
                try watcher.line() == "END"
            else { throw NodeTestError.closed(head) }
            return json
        }
    }

    /// How long crowds of new keys took to be listed, shortest first.
    private func detections(hot: Int, trials: Int) throws -> [Duration] {
        let scene = try Scene()
        _ = try scene.run("", hot: 0, limit: .milliseconds(1200)) { _ in false }
        var times: [Duration] = []
        for trial in 0..<trials {
            let key = "crowd:\(hot):\(trial)"
            times.append(
                try scene.run(key, hot: hot, limit: .seconds(3)) {
                    try $0.ask("hotkeys n=3").contains("\"\(key)\"")
                })
            // Another length each time: crowds begin anywhere in a sub-window.
            _ = try scene.run("", hot: 0, limit: .milliseconds(200 + 37 * trial)) { _ in false }
        }
        return times.sorted()
    }

    // The limits hold for 99 of 100 on a quiet machine (Benchmarks/Scenarios); here, where other
    // tests take the processor away, for the middle one, and every crowd is found.
    @Test(
        "a crowd is listed in time: 20 % within 750 ms, 60 % within 300 ms",
        arguments: [(2, Duration.milliseconds(750)), (6, .milliseconds(300))])
    func findsCrowdsInTime(hot: Int, limit: Duration) throws {
        let times = try detections(hot: hot, trials: 7)
        #expect(times[times.count / 2] <= limit, "\(times)")
        #expect(times.allSatisfy { $0 < .seconds(3) }, "\(times)")
    }

    @Test("when the crowd has left, its key is demoted after ten seconds, with a reason")
    func demotesWhatCools() throws {
        let scene = try Scene()
        _ = try scene.run("star", hot: 5, limit: .seconds(10)) {
            try $0.ask("why star").contains("\"state\":\"hot\"")
        }
        let early = try scene.run("", hot: 0, limit: .seconds(8)) {
            try $0.ask("why star").contains("\"action\":\"demote\"")
        }
        #expect(early == .seconds(8), "demoted after \(early)")
        let late = try scene.run("", hot: 0, limit: .seconds(10)) {
            try $0.ask("why star").contains("\"action\":\"demote\"")
        }
        #expect(late < .seconds(10))
        let why = try scene.ask("why star")
        #expect(why.contains("below 40.0 % of the thresholds for 10 s"), "\(why)")
        #expect(try scene.ask("top").contains("demote star: below"))
        #expect(try scene.ask("hotkeys n=3 history=30").contains("\"key\":\"star\""))
    }

    @Test("a miss behind a value that is sent from where it lies counts as a miss")
    func countsMissesBehindLargeValues() throws {
        let node = try NodeProcess("-t 1")
        let client = try TextClient(to: node)
        let value = String(repeating: "v", count: 20_000)
        #expect(try client.ask("set large 0 0 20000\r\n\(value)") == "STORED")
        var list = ""
        let end = ContinuousClock.now.advanced(by: .seconds(10))
        while !list.contains("\"key\":\"absent\"") && ContinuousClock.now < end {
            let pair = "mg large v\r\nmg absent v\r\n"
            try client.send(String(repeating: pair, count: 20) + "mn\r\n")
            while try client.line() != "MN" {}
            list = try client.list("kiln hotkeys n=5 filter=absent").joined()
        }
        #expect(
            list.contains("\"key\":\"absent\"") && list.contains("\"hits_per_s\":0,"), "\(list)")
    }

    @Test("looking at an item with `me` is a read, and makes no key write-hot")
    func debuggingIsReading() throws {
        let node = try NodeProcess("-t 1")
        let client = try TextClient(to: node)
        var list = ""
        let end = ContinuousClock.now.advanced(by: .seconds(10))
        while !list.contains("\"key\":\"looked\"") && ContinuousClock.now < end {
            try client.send(String(repeating: "me looked\r\n", count: 40) + "mn\r\n")
            while try client.line() != "MN" {}
            list = try client.list("kiln hotkeys n=5").joined()
        }
        #expect(
            list.contains("\"key\":\"looked\"") && list.contains("\"writes_per_s\":0,"), "\(list)")
    }
}
