import Testing

@testable import Console

@Suite struct ReportTests {
    private let server = ServerAddress.network(host: "::1", port: 11211)

    @Test func statisticsAsJSON() {
        let report = StatisticsReport(
            server: server, group: "items",
            statistics: [Statistic(name: "b", value: "2"), Statistic(name: "a", value: "x\"")])
        #expect(
            report.json.description == """
                {"schema_version":1,"server":"[::1]:11211","group":"items",\
                "stats":{"b":2,"a":"x\\""}}
                """)
    }

    @Test func statisticsAsATable() {
        let report = StatisticsReport(
            server: server, group: "",
            statistics: [
                Statistic(name: "pid", value: "1"), Statistic(name: "longer", value: "\u{1B}[2J"),
            ])
        #expect(
            report.table(styled: false) == """
                NAME    VALUE
                pid     1
                longer  \\u{1b}[2J

                """)
        #expect(report.table(styled: true).hasPrefix("\u{1B}[1mNAME    VALUE\u{1B}[0m\n"))
    }

    @Test(arguments: [
        ("0", true), ("12", true), ("-5", true), ("18446744073709551615", true),
        ("0.118444", true), ("12.000001", true),
        ("", false), ("-", false), ("007", false), ("1.6", false), ("1.6.18", false),
        ("1.25x", false), ("yes", false), (".000001", false), ("1e5", false), ("٣", false),
    ])
    func onlyNumbersAreJSONNumbers(_ text: String, _ isNumber: Bool) {
        let expected = isNumber ? JSONText.number(text) : .string(text)
        #expect(StatisticsReport.value(text) == expected)
    }

    @Test func fetchedItemsAsJSON() {
        let report = FetchReport(
            server: server,
            results: [
                ("a", FetchedItem(key: "a", flags: 7, cas: 9, value: Array("é\n".utf8))),
                ("b", FetchedItem(key: "b", flags: 0, cas: 10, value: [0xFF, 0x00])),
                ("c", nil),
            ])
        #expect(
            report.json.description == """
                {"schema_version":1,"server":"[::1]:11211","items":[\
                {"key":"a","found":true,"flags":7,"bytes":3,"cas":9,"encoding":"utf8",\
                "value":"é\\n"},\
                {"key":"b","found":true,"flags":0,"bytes":2,"cas":10,"encoding":"base64",\
                "value":"/wA="},\
                {"key":"c","found":false,"flags":null,"bytes":null,"cas":null,"encoding":null,\
                "value":null}]}
                """)
    }

    @Test func fetchedItemsAsATable() {
        let report = FetchReport(
            server: server,
            results: [
                ("a", FetchedItem(key: "a", flags: 70, cas: 9, value: [0xFF, 0x41, 0x0A])),
                ("missing", nil),
            ])
        #expect(
            report.table(styled: false) == """
                KEY      FOUND  FLAGS  BYTES  VALUE
                a        yes       70      3  \\xffA\\n
                missing  no         -      -  -

                """)
    }

    @Test func changesAsJSON() {
        let report = ChangeReport(
            server: server, results: [("a", "deleted"), ("b", "not_found")])
        #expect(
            report.json.description == """
                {"schema_version":1,"server":"[::1]:11211","items":[\
                {"key":"a","status":"deleted"},{"key":"b","status":"not_found"}]}
                """)
    }

    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ])
    func base64MatchesTheStandardsVectors(_ plain: String, _ encoded: String) {
        #expect(base64(Array(plain.utf8)) == encoded)  // RFC 4648, section 10.
    }

    @Test(
        arguments: [
            (true, nil, "xterm", true), (false, nil, "xterm", false), (true, "1", "xterm", false),
            (true, "", "xterm", true), (true, nil, "dumb", false), (true, nil, nil, true),
        ] as [(Bool, String?, String?, Bool)])
    func colourNeedsATerminalThatWantsIt(
        _ isTerminal: Bool, _ noColor: String?, _ kind: String?, _ expected: Bool
    ) {
        let styled = Terminal.isStyled(isTerminal: isTerminal, noColor: noColor, kind: kind)
        #expect(styled == expected)
    }
}
