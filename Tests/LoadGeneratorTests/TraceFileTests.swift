import Glibc
import Testing

@testable import LoadGenerator

@Suite struct TraceFileTests {
    private func trace(_ text: String) throws(LoadError) -> TraceFile {
        try TraceFile(Array(text.utf8), name: "t.csv")
    }

    @Test func readsOperations() throws {
        let trace = try trace("op,key,size\nget,a,\r\nSET,bcd,120\n\nget,e\nset,f,0\n")
        #expect(trace.operations.map(\.isWrite) == [false, true, false, true])
        #expect(trace.operations.map(\.valueBytes) == [0, 120, 0, 0])
        let keys = trace.operations.map { operation in
            let end = operation.keyStart + Int(operation.keyCount)
            return String(decoding: trace.keyBytes[operation.keyStart..<end], as: UTF8.self)
        }
        #expect(keys == ["a", "bcd", "e", "f"])
        #expect(trace.largestValue == 120)
    }

    @Test(arguments: [
        ("get,a\nget\n", 2, "expected op,key,size, found 1 fields"),
        ("get,a,1,2\n", 1, "found 4 fields"),
        ("delete,a,\n", 1, "must be get or set"),
        ("get,,\n", 1, "a key has 1 through 250 bytes"),
        ("get,a b,\n", 1, "a key has 1 through 250 bytes"),
        ("get,a\u{1},\n", 1, "a key has 1 through 250 bytes"),
        ("set,a,\n", 1, "the size must be 0 through"),
        ("set,a,-1\n", 1, "the size must be 0 through"),
        ("set,a,134217729\n", 1, "the size must be 0 through"),
        ("set,a,1e3\n", 1, "the size must be 0 through"),
        ("", 0, "no operations"), ("op,key,size\n", 0, "no operations"),
        ("get,a\nop,key,size\n", 2, "must be get or set"),
    ])
    func namesTheLineThatIsWrong(_ text: String, _ line: Int, _ reason: String) {
        let error = #expect(throws: LoadError.self) { try trace(text) }
        guard case .unreadableTrace(let file, let found, let why) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(file == "t.csv")
        #expect(found == line)
        #expect(why.contains(reason), "\(why)")
        #expect(error?.exitCode == 64)
    }

    @Test func aKeyOf250BytesIsAllowed() throws {
        let key = String(repeating: "k", count: 250)
        #expect(try trace("get,\(key)\n").operations.first?.keyCount == 250)
        #expect(throws: LoadError.self) { try trace("get,\(key)k\n") }
    }

    @Test(arguments: ["/nonexistent/trace.csv", "/"])
    func anUnreadableFileIsNamed(_ path: String) {
        let error = #expect(throws: LoadError.self) { try TraceFile(reading: path) }
        #expect("\(error.map { "\($0)" } ?? "")".hasPrefix("cannot read the trace \(path): "))
    }

    @Test func threadsDealTheOperationsOut() throws {
        var settings = LoadSettings(servers: [])
        settings.threads = 2
        settings.keys = .trace(try trace("get,a\nset,b,5\nget,c\n"))
        var sources = (0..<2).map { RequestSource(settings: settings, thread: $0) }
        #expect((0..<3).map { _ in sources[0].next().key } == [0, 2, 1])
        #expect((0..<3).map { _ in sources[1].next().key } == [1, 0, 2])
        #expect(sources[1].next() == RequestSource.Draw(isWrite: true, key: 1, valueBytes: 5))
    }
}
