import Glibc

/// `kiln top`: asks a node again and again and shows what it says.
public struct LiveSession: Sendable {
    /// How a session is run.
    public struct Settings: Sendable {
        /// Seconds from one question to the next.
        public var seconds = 1.0
        /// Keys asked for.
        public var keys = 100
        /// Answers to print where the output is no terminal; nil for no end.
        public var answers: Int?

        /// The defaults.
        public init() {}
    }

    private let address: ServerAddress
    private let settings: Settings

    /// A session with the node at `address`.
    public init(_ address: ServerAddress, _ settings: Settings) {
        self.address = address
        self.settings = settings
    }

    /// The full screen on a terminal; off one, every answer as a line of JSON.
    public func run() throws(ConsoleError) {
        if isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 {
            try runScreen()
        } else {
            try runLines()
        }
    }

    private var question: [String] { ["top", "n=\(settings.keys)"] }

    private func runLines() throws(ConsoleError) {
        var client = try MemcachedClient(to: address)
        var left = settings.answers ?? .max
        while left > 0 {
            let answer = try client.ask(question)
            try Terminal.write(answer + [UInt8(ascii: "\n")])
            left -= 1
            if left > 0 { usleep(useconds_t(settings.seconds * 1e6)) }
        }
    }

    private func runScreen() throws(ConsoleError) {
        var client: MemcachedClient? = try MemcachedClient(to: address)
        var state = LiveState(server: address.description)
        // Asked before the screen is taken: a server that knows no `kiln top` says so in plain.
        state.update(try Self.snapshot(from: try askFirst(&client), address))
        let terminal = try LiveTerminal(styled: Terminal.isStyled)
        var due = now + settings.seconds
        while !state.hasEnded && !terminal.wasToldToEnd {
            if now >= due {
                refresh(&client, &state)
                due = now + settings.seconds
            }
            try terminal.show(state)
            let wait = min(Self.longestWait, max(0, due - now))
            for key in terminal.keys(within: Int32(wait * 1000) + 1) { state.press(key) }
        }
    }

    /// Seconds after which signals and the terminal's size are looked at, at the latest.
    private static let longestWait = 0.2

    private func askFirst(_ client: inout MemcachedClient?) throws(ConsoleError) -> [UInt8] {
        guard var first = client.take() else { return [] }
        let answer = try first.ask(question)
        client = consume first
        return answer
    }

    /// Asks once more; a node that does not answer is shown as such and asked again later.
    private func refresh(_ client: inout MemcachedClient?, _ state: inout LiveState) {
        do throws(ConsoleError) {
            var asked: MemcachedClient
            if let kept = client.take() {
                asked = kept
            } else {
                asked = try MemcachedClient(to: address)
            }
            let answer = try asked.ask(question)
            client = consume asked
            state.update(try Self.snapshot(from: answer, address))
        } catch {
            state.problem = "\(error)"
        }
    }

    private static func snapshot(
        from answer: [UInt8], _ address: ServerAddress
    ) throws(ConsoleError) -> LiveSnapshot {
        do throws(JSONProblem) {
            return try LiveSnapshot(try JSONText(parsing: answer))
        } catch {
            throw .unexpectedReply(server: address.description, reply: "\(error)")
        }
    }

    private var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
