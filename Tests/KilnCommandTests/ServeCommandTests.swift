import ArgumentParser
import CacheNode
import Testing

@testable import kiln

@Suite struct ServeCommandTests {
    /// The configuration that a command line gives on a machine with two cores.
    private func configuration(_ line: String) throws -> NodeConfiguration {
        let words = ["serve"] + line.split(separator: " ").map(String.init)
        let command = try Kiln.parseAsRoot(ServeArguments.rewriting(words))
        return try #require(command as? ServeCommand).nodeConfiguration(cores: 2)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var line: String
        var change: @Sendable (inout NodeConfiguration) -> Void
        var testDescription: String { line }

        init(_ line: String, _ change: @escaping @Sendable (inout NodeConfiguration) -> Void) {
            self.line = line
            self.change = change
        }
    }

    static let network: [Case] = [
        Case("") { _ in },
        Case("-p 0") { $0.port = 0 },
        Case("-p11300") { $0.port = 11300 },
        Case("--port 11300") { $0.port = 11300 },
        Case("--port=11300") { $0.port = 11300 },
        Case("-p -1") { $0.port = -1 },
        Case("-l 0.0.0.0") { $0.listen = [ListenAddress(host: "0.0.0.0")] },
        Case("-l 127.0.0.1,[::1]:12 --listen localhost:0 -l ::") {
            $0.listen = [
                ListenAddress(host: "127.0.0.1"), ListenAddress(host: "::1", port: 12),
                ListenAddress(host: "localhost", port: 0), ListenAddress(host: "::"),
            ]
        },
        Case("-s /tmp/k.sock -a 770") {
            $0.unixSocketPath = "/tmp/k.sock"
            $0.unixSocketMask = 0o770
            $0.listen = []
        },
        Case("--unix-socket=/tmp/k.sock --unix-mask=0700") {
            $0.unixSocketPath = "/tmp/k.sock"
            $0.listen = []
        },
        Case("-b 4096") { $0.backlog = 4096 },
        Case("--listen-backlog 4096") { $0.backlog = 4096 },
        Case("--ports-file /tmp/ports") { $0.portsFile = "/tmp/ports" },
        Case("--hot-keys off") { $0.hotKeys = .off },
        Case("--hot-keys=observe --redact-keys") {
            $0.hotKeys = .observe
            $0.redactsKeys = true
        },
        Case("-U 0") { _ in },
        Case("-U0") { _ in },
    ]

    static let limits: [Case] = [
        Case("-m 1024") { $0.memoryLimitBytes = 1 << 30 },
        Case("-m1024") { $0.memoryLimitBytes = 1 << 30 },
        Case("--memory-limit=100") { $0.memoryLimitBytes = 100 << 20 },
        Case("-I 4m") { $0.itemSizeLimitBytes = 4 << 20 },
        Case("-I512K") { $0.itemSizeLimitBytes = 512 << 10 },
        Case("--max-item-size 2000000") { $0.itemSizeLimitBytes = 2_000_000 },
        Case("-c 10 -t 4 -R 100") {
            $0.connectionLimit = 10
            $0.threads = 4
            $0.requestsPerEvent = 100
        },
        Case("--conn-limit 10 --threads 4 --max-reqs-per-event 100") {
            $0.connectionLimit = 10
            $0.threads = 4
            $0.requestsPerEvent = 100
        },
        Case("-M") { $0.evicts = false },
        Case("--disable-evictions") { $0.evicts = false },
        Case("--idle-timeout 30") { $0.idleTimeoutSeconds = 30 },
        Case("-o idle_timeout=31") { $0.idleTimeoutSeconds = 31 },
    ]

    static let others: [Case] = [
        Case("-v") { $0.verbosity = 1 },
        Case("-vv") { $0.verbosity = 2 },
        Case("-v -vv") { $0.verbosity = 3 },
        Case("-vvvvv") { $0.verbosity = 3 },
        Case("--verbose") { $0.verbosity = 1 },
        Case("-vvAp11300") {
            $0.verbosity = 2
            $0.allowsShutdown = true
            $0.port = 11300
        },
        Case("-vvAp 11300") {
            $0.verbosity = 2
            $0.allowsShutdown = true
            $0.port = 11300
        },
        Case("-A -F -X -W") {
            $0.allowsShutdown = true
            $0.flushAllEnabled = false
            $0.dumpEnabled = false
            $0.watchEnabled = false
        },
        Case("--enable-shutdown --disable-flush-all --disable-dumping --disable-watching") {
            $0.allowsShutdown = true
            $0.flushAllEnabled = false
            $0.dumpEnabled = false
            $0.watchEnabled = false
        },
        Case("--disable-watch") { $0.watchEnabled = false },
        Case("-P /tmp/pid -u nobody") {
            $0.pidFile = "/tmp/pid"
            $0.user = "nobody"
        },
        Case("--pidfile=/tmp/pid --user=nobody") {
            $0.pidFile = "/tmp/pid"
            $0.user = "nobody"
        },
        Case("-d -k -C -L -n 48 -f 1.25 -o modern,idle_timeout=5,hash_algorithm=xxh3") {
            $0.idleTimeoutSeconds = 5
            $0.ignoredOptions = [
                "-d", "-k", "-C", "-L", "-n 48", "-f 1.25", "-o modern", "-o hash_algorithm=xxh3",
            ]
        },
        Case("-kCdL") { $0.ignoredOptions = ["-d", "-k", "-C", "-L"] },
    ]

    @Test(arguments: network + limits + others)
    func aCommandLineBecomesAConfiguration(_ testCase: Case) throws {
        var expected = NodeConfiguration(cores: 2)
        testCase.change(&expected)
        #expect(try configuration(testCase.line) == expected)
    }

    @Test(arguments: [
        "-U 11211", "-U", "-p x", "-p", "-Q", "--no-such", "extra", "-m 64m", "-m -5", "-I 1g",
        "-I x", "-a 9", "-l ,", "-l [::1", "-l a:b", "-l a:65536", "-o idle_timeout=x",
        "-o idle_timeout", "-m 99999999999999", "--ports-file", "-S", "-Z",
    ])
    func anythingElseIsAUsageError(_ line: String) throws {
        var code: ExitCode?
        do { _ = try configuration(line) } catch { code = ServeCommand.exitCode(for: error) }
        #expect(code == ExitCode(64), "\(line)")
    }

    @Test(arguments: [
        ("-V", "kiln \(KilnVersion.current)"), ("--version", "kiln \(KilnVersion.current)"),
        ("-h", "memcached's options"), ("-vh", "memcached's options"),
    ])
    func asksForTextAreCleanExits(_ line: String, _ text: String) throws {
        var caught: (any Error)?
        do {
            var command = try Kiln.parseAsRoot(ServeArguments.rewriting(["serve", line]))
            try command.run()
        } catch { caught = error }
        let error = try #require(caught)
        #expect(ServeCommand.exitCode(for: error) == .success)
        #expect(Kiln.fullMessage(for: error).contains(text))
    }

    @Test func otherCommandsKeepTheirArguments() {
        let words = ["get", "-o", "json", "-pkey"]
        #expect(ServeArguments.rewriting(words) == words)
        #expect(ServeArguments.rewriting([]) == [])
    }
}
