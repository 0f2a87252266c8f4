import Synchronization
import Testing

@testable import LoadGenerator

/// The engine with several threads, in this process, so that sanitizers see it.
@Suite(.serialized) struct LoadRunTests {
    /// Settings for two threads and five clients on `caches`.
    private func settings(_ caches: [MissingCache]) -> LoadSettings {
        var settings = LoadSettings(
            servers: caches.map { cache in
                ServerTarget(
                    name: "127.0.0.1:\(cache.port)",
                    location: .network(host: "127.0.0.1", port: cache.port))
            })
        (settings.threads, settings.clients, settings.warmupSeconds) = (2, 5, 0)
        settings.keyCount = 100
        settings.writeShare = 0.25
        settings.length = .requests(2_000)
        return settings
    }

    @Test(arguments: WireProtocol.allCases, [1, 8])
    func everyRequestIsAnsweredAndCounted(_ wire: WireProtocol, _ pipeline: Int) throws {
        let cache = try #require(MissingCache())
        defer { cache.stop() }
        var settings = settings([cache])
        (settings.wire, settings.pipeline) = (wire, pipeline)
        let outcome = try LoadRun(settings).run { _ in }
        let run = try #require(outcome.results.first)
        #expect(outcome.error == nil)
        #expect(run.requests == 2_000)
        #expect(run.total.latency.count == 2_000)
        #expect(run.operations.map(\.kind) == [.get, .set])
        #expect(run.operations[0].hits == 0)
        #expect(run.samples.reduce(0) { $0 + $1.requests } == 2_000)
        #expect(cache.answered.load(ordering: .relaxed) == 2_000)
    }

    @Test(arguments: Routing.allCases)
    func everyServerIsSentWhatItsShareSays(_ routing: Routing) throws {
        let caches = try (0..<3).map { _ in try #require(MissingCache()) }
        defer { for cache in caches { cache.stop() } }
        var settings = settings(caches)
        (settings.routing, settings.keysPerGet, settings.preloads) = (routing, 4, true)
        let outcome = try LoadRun(settings).run { _ in }
        let run = try #require(outcome.results.first)
        #expect(outcome.error == nil)
        #expect(run.requests == 2_000)
        #expect(run.servers.count == 3)
        let commands = run.servers.reduce(0) { $0 + $1.requests }
        #expect(routing == .ketama ? commands > 2_000 : commands == 2_000)
        let stored = routing == .ketama ? 100 : 300
        let answered = caches.reduce(0) { $0 + $1.answered.load(ordering: .relaxed) }
        #expect(answered == Int(commands) + stored)
    }

    @Test func anOpenLoopRecordsBothLatencies() throws {
        let cache = try #require(MissingCache())
        defer { cache.stop() }
        var settings = settings([cache])
        settings.rate = 10_000
        let outcome = try LoadRun(settings).run { _ in }
        let total = try #require(outcome.results.first?.total)
        #expect(total.requests == 2_000)
        #expect(total.latency.count == 2_000 && total.serviceTime.count == 2_000)
        let (intended, sent) = (total.latency.meanNanoseconds, total.serviceTime.meanNanoseconds)
        #expect(intended >= sent, "nothing is sent before it is due")
    }

    @Test func phasesAreReportedOneByOne() throws {
        let cache = try #require(MissingCache())
        defer { cache.stop() }
        var scenario = HotspotScenario(settings([cache]))
        scenario.seconds = (0.2, 0.2, 0.2)
        let outcome = try scenario.run { _ in }
        #expect(outcome.results.map(\.phase) == ["before", "during", "after"])
        #expect(outcome.results.allSatisfy { $0.requests > 0 && $0.errors == 0 })
    }

    @Test func aServerThatIsGoneIsNamed() throws {
        let cache = try #require(MissingCache())
        let settings = settings([cache])
        cache.stop()
        let error = #expect(throws: LoadError.self) { try LoadRun(settings) }
        #expect(error?.exitCode == 69)
    }
}
