import Glibc
import LoadGenerator
import Testing

@testable import Console

/// What a benchmark writes to files, and reads back.
@Suite struct BenchFileTests {
    // MARK: JSON

    @Test(arguments: SampleReports.Kind.allCases)
    func jsonReadsBack(_ kind: SampleReports.Kind) throws {
        let report = kind.report
        let text = BenchJSON(report).json.description
        let restored = try BenchJSON.report(from: Array(text.utf8), name: "x")
        #expect(BenchJSON(restored).json.description == text)
        // Figures that the JSON repeats for readers come from the restored counts again.
        #expect(restored.runs.map(\.rate) == report.runs.map(\.rate))
        #expect(BenchTable(restored).text(styled: false) == BenchTable(report).text(styled: false))
    }

    @Test func jsonHasTheKeysThatScriptsRead() throws {
        let text = BenchJSON(SampleReports.closedLoop()).json.description
        for part in [
            #"{"schema_version":1,"kind":"kiln bench","scenario":"load","#,
            #""started_unix_s":1700000000,"machine""#,
            #""machine":{"processor":"Test CPU <8>","processors":2,"memory_bytes":8589934592"#,
            #""settings":{"clients":"50","key-prefix":"a&\"b"},"valid":true,"runs":[{"phase":"""#,
            #""seconds":2.0,"intended_rate":null,"requests":20,"errors":0,"rate":10.0"#,
            #""server_cpu_s_per_request":5e-06,"imbalance":1.0"#,
            #"{"operation":"get","requests":10,"keys":10,"hits":9,"errors":0,"hit_ratio":0.9"#,
            #""per_second":[{"second":0,"requests":10,"errors":0,"max_ns":2000000}"#,
            #""servers":[{"server":"127.0.0.1:11211","requests":20,"cpu_s":0.0001,"#,
            #""busiest_thread_share":0.5}]"#,
            #""verdict":{"valid":true,"reasons":[],"warnings":[]},"interruption":null}]}"#,
        ] {
            #expect(text.contains(part), "\(part)")
        }
    }

    @Test(arguments: [
        ("", "it ends too early"), ("{}", "kind is missing"), ("[]", "not the JSON of a benchmark"),
        (#"{"kind":"kiln bench verify"}"#, "not the JSON of a benchmark"),
        (#"{"kind":"kiln bench","schema_version":2}"#, "schema_version is 2"),
        (#"{"kind":"kiln bench","schema_version":1}"#, "machine is missing"),
        ("GIF89a", "no value"),
    ])
    func anythingElseIsRefused(_ text: String, _ reason: String) {
        let error = #expect(throws: ConsoleError.self) {
            try BenchJSON.report(from: Array(text.utf8), name: "old.json")
        }
        #expect("\(error.map { "\($0)" } ?? "")".contains(reason), "\(String(describing: error))")
        #expect(error?.exitCode == 64)
    }

    /// Each cut and each changed byte of a report is refused or read, and never a crash.
    @Test func damagedReportsStopNothing() {
        let bytes = Array(BenchJSON(SampleReports.closedLoop()).json.description.utf8)
        for end in stride(from: 0, to: bytes.count, by: 61) {
            #expect(throws: ConsoleError.self) {
                try BenchJSON.report(from: Array(bytes[..<end]), name: "x")
            }
        }
        for index in stride(from: 0, to: bytes.count, by: 41) {
            for byte in [UInt8(ascii: "9"), UInt8(ascii: "-"), 0, 0xFF] {
                var damaged = bytes
                damaged[index] = byte
                if let report = try? BenchJSON.report(from: damaged, name: "x") {
                    _ = BenchTable(report).text(styled: false)
                    _ = BenchComparison(
                        old: report, oldName: "x", new: SampleReports.closedLoop()
                    ).table(styled: false)
                }
            }
        }
    }

    // MARK: CSV and hgrm

    @Test func csvHasARowPerPercentileAndSecond() {
        let csv = BenchCSV(SampleReports.hotspot())
        let rows = csv.percentiles.split(separator: "\n")
        #expect(rows[0] == "run,operation,requests,percentile,latency_us,latency_from_send_us")
        #expect(rows.count == 1 + 3 * 2 * BenchCSV.percentiles.count)
        #expect(rows.contains("before,get,10,50.0,500.223,500.223"))
        #expect(csv.seconds.split(separator: "\n").count == 1 + 3 * 2)
        #expect(csv.seconds.hasSuffix("after,1,10,0,2000.000\n"))
    }

    @Test(arguments: [("a", "a"), ("a,b", "\"a,b\""), ("a\"b", "\"a\"\"b\""), ("a\nb", "\"a\nb\"")])
    func csvQuotesWhatNeedsIt(_ text: String, _ expected: String) {
        #expect(BenchCSV.quoted(text) == expected)
    }

    @Test func hgrmIsHdrHistogramsFormat() {
        let texts = BenchHGRM(SampleReports.closedLoop()).texts
        #expect(texts.map(\.name) == ["get", "set"])
        #expect(
            texts[0].text == """
                       Value     Percentile TotalCount 1/(1-Percentile)

                       0.100 0.000000000000          1           1.00
                       0.100 0.100000000000          1           1.11
                       0.200 0.200000000000          2           1.25
                       0.300 0.300000000000          3           1.43
                       0.400 0.400000000000          4           1.67
                       0.500 0.500000000000          5           2.00
                       0.600 0.550000000000          6           2.22
                       0.600 0.600000000000          6           2.50
                       0.700 0.650000000000          7           2.86
                       0.700 0.700000000000          7           3.33
                       0.800 0.750000000000          8           4.00
                       0.800 0.775000000000          8           4.44
                       0.800 0.800000000000          8           5.00
                       0.900 0.825000000000          9           5.71
                       0.900 0.850000000000          9           6.67
                       0.900 0.875000000000          9           8.00
                       0.900 0.887500000000          9           8.89
                       0.900 0.900000000000          9          10.00
                       1.000 0.912500000000         10          11.43
                       1.000 1.000000000000         10
                #[Mean    =        0.550, StdDeviation   =        0.287]
                #[Max     =        1.000, Total count    =           10]
                #[Buckets =           32, SubBuckets     =         2048]

                """)
    }

    @Test func hgrmOfAnOpenLoopHasBothLatencies() {
        let names = BenchHGRM(SampleReports.openLoop()).texts.map(\.name)
        #expect(names == ["get", "get-from-send", "set", "set-from-send"])
    }

    // MARK: Files

    @Test func filesAreReplacedWhole() throws {
        let path = "/tmp/kiln-report-\(getpid()).json"
        defer { unlink(path) }
        try ReportFile.write("first, and longer", to: path)
        try ReportFile.write("second", to: path)
        #expect(try ReportFile.read(path) == Array("second".utf8))
        #expect(throws: Never.self) { try ReportFile.write("x", to: "/dev/null") }
    }

    @Test(arguments: ["/nonexistent/x.json", "/"])
    func aFileThatCannotBeWrittenIsNamed(_ path: String) {
        let error = #expect(throws: ConsoleError.self) { try ReportFile.write("x", to: path) }
        #expect("\(error.map { "\($0)" } ?? "")".hasPrefix("cannot write \(path) ("))
        #expect(error?.exitCode == 1)
    }

    @Test(arguments: ["/nonexistent/x.json", "/"])
    func aFileThatCannotBeReadIsNamed(_ path: String) {
        let error = #expect(throws: ConsoleError.self) { try ReportFile.read(path) }
        #expect("\(error.map { "\($0)" } ?? "")".hasPrefix("cannot use \(path) ("))
    }
}
