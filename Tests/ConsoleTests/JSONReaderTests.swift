import Testing

@testable import Console

@Suite struct JSONReaderTests {
    private func read(_ text: String) throws -> String {
        try JSONText(parsing: Array(text.utf8)).description
    }

    @Test(arguments: [
        ("null", "null"), (" true ", "true"), ("false", "false"), ("0", "0"),
        ("-1.50e+3", "-1.50e+3"),
        ("[]", "[]"), ("{}", "{}"), ("[1, [2],\n{\"a\" : 3}]", #"[1,[2],{"a":3}]"#),
        (#""a\u00e9\n\ud83d\ude00\/""#, "\"aé\\n😀/\""), ("\"é\"", "\"é\""),
        (#"{"b":1,"a":2}"#, #"{"b":1,"a":2}"#),
    ])
    func readsValues(_ text: String, _ expected: String) throws {
        #expect(try read(text) == expected)
    }

    @Test(arguments: [
        "", " ", "nul", "truex", "01", "-", "1.", ".5", "1e", "+1", "[1,]", "[1 2]", "{\"a\"}",
        "{\"a\":}", "{a:1}", "{\"a\":1,}", "\"a", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"",
        "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\n\"", "1 2", "[", "{", "'a'", "NaN",
    ])
    func refusesAnythingElse(_ text: String) {
        #expect(throws: JSONProblem.self) { try read(text) }
    }

    @Test func stringsMustBeUTF8() {
        #expect(throws: JSONProblem.self) { try JSONText(parsing: [0x22, 0xFF, 0x22]) }
    }

    @Test func nestingIsBounded() throws {
        #expect(throws: Never.self) {
            try read(String(repeating: "[", count: 63) + String(repeating: "]", count: 63))
        }
        #expect(throws: JSONProblem.self) { try read(String(repeating: "[", count: 100_000)) }
    }
}
