import Glibc
import Logging
import Testing

@testable import kiln

@Suite struct NodeLogTests {
    private let time = timespec(tv_sec: 1_709_210_096, tv_nsec: 7_999_999)

    @Test func aProgramGetsJSON() {
        let log = NodeLog(verbosity: 0, isTerminal: false)
        let line = log.line(
            "said \"hi\"\n", level: .notice, details: ["b": "2", "a": "\u{1B}"], at: time)
        #expect(
            line == #"{"time":"2024-02-29T12:34:56.007Z","level":"notice","#
                + #""message":"said \"hi\"\n","a":"\u001b","b":"2"}"#)
    }

    @Test func aPersonGetsTextThatCannotMoveTheCursor() {
        let log = NodeLog(verbosity: 0, isTerminal: true)
        let line = log.line("key \u{1B}[2J\n", level: .error, details: ["a": "\r"], at: time)
        #expect(line == "2024-02-29T12:34:56.007Z error: key \\u{1b}[2J\\n a=\\r")
    }

    @Test(arguments: [(0, Logger.Level.info), (1, .info), (2, .debug), (3, .trace)])
    func verbosityChoosesTheLevel(_ verbosity: Int, _ level: Logger.Level) {
        #expect(NodeLog(verbosity: verbosity).logLevel == level)
    }
}
