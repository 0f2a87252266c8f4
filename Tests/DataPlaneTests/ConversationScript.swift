// Conversations as tables: what a client sends, and what it must get back, byte for byte.
import Testing

/// A conversation in plain text.
///
/// A line that starts with `> ` is sent, with a line end; `\r\n` in it stands for a line end of its
/// own. The lines below it are the reply, each with a line end; none means that there must be no
/// reply. A line `+ N` moves the clock by N seconds. A line that starts with `#` is a remark.
struct ConversationScript {
    private var steps: [Step] = []

    private enum Step {
        case exchange(sent: String, expected: String)
        case wait(Double)
    }

    init(_ text: String) {
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("> ") {
                let sent = line.dropFirst(2).split(
                    separator: #"\r\n"#, omittingEmptySubsequences: false)
                steps.append(.exchange(sent: sent.joined(separator: "\r\n") + "\r\n", expected: ""))
            } else if line.hasPrefix("+ ") {
                steps.append(.wait(Double(line.dropFirst(2)) ?? 0))
            } else if !line.hasPrefix("#"), case .exchange(let sent, let expected)? = steps.last {
                steps[steps.count - 1] = .exchange(
                    sent: sent, expected: expected + line + "\r\n")
            }
        }
    }

    /// Holds the conversation with `harness` and records each reply that differs.
    func run(
        on harness: ShardHarness = ShardHarness(), sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(
            !steps.isEmpty, "a script without steps proves nothing", sourceLocation: sourceLocation)
        for step in steps {
            switch step {
            case .wait(let seconds):
                harness.advance(seconds: seconds)
            case .exchange(let sent, let expected):
                let got = harness.run(sent)
                #expect(
                    got == expected, "after \(sent.debugDescription)",
                    sourceLocation: sourceLocation)
            }
        }
    }
}
