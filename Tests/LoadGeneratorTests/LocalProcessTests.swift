import Glibc
import Testing

@testable import LoadGenerator

@Suite struct LocalProcessTests {
    private let text = """
          sl  local_address rem_address   st tx_queue rx_queue tr tm->when  uid timeout inode
           0: 0100007F:2BCB 00000000:0000 0A 0:0 00:0 0 0 0 4711 1 0
           1: 0100007F:2BCB 0100007F:D431 01 0:0 00:0 0 0 0 4712 1 0
           2: 00000000000000000000000000000000:2BCB 0:0 0A 0:0 00:0 0 0 0 4713 1 0
           3: 0100007F:2BCC 00000000:0000 0A 0:0 00:0 0 0 0 4714 1 0
           4: cut off
        """

    @Test func listenersAreFoundByTheirPort() {
        #expect(LocalProcess.listeningSockets(in: text, port: 11_211) == ["4711", "4713"])
        #expect(LocalProcess.listeningSockets(in: text, port: 11_212) == ["4714"])
        #expect(LocalProcess.listeningSockets(in: text, port: 1) == [])
        #expect(LocalProcess.listeningSockets(in: "", port: 11_211) == [])
    }

    /// This process listens, so it is the one that is found.
    @Test func theProcessThatListensIsFound() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        try #require(descriptor >= 0)
        try #require(listen(descriptor, 1) == 0, "the kernel picks a port")
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let named = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(descriptor, $0, &size)
            }
        }
        try #require(named == 0)
        let port = Int(UInt16(bigEndian: address.sin_port))
        #expect(LocalProcess.identifiers(listeningOn: port) == [getpid()])
        let target = ServerTarget(name: "x", location: .network(host: "127.0.0.1", port: port))
        #expect(try ServerEndpoint(resolving: target).loopbackPort == port)
    }

    @Test func timesAreTakenThreadByThread() {
        let start = ProcessorTime([1: 1_000_000_000, 2: 5_000_000_000, 3: 7_000_000_000])
        let end = ProcessorTime([1: 1_500_000_000, 2: 5_250_000_000, 9: 1_000_000_000])
        let used = end.used(since: start)
        #expect(used.all == 1.75, "a thread that began counts, one that ended does not")
        #expect(used.busiest == 1)
    }

    @Test func onlyOwnProcessesHaveTimes() {
        #expect(ProcessorTime(ofProcesses: [getpid()]) != nil)
        #expect(ProcessorTime(ofProcesses: []) == nil)
        #expect(ProcessorTime(ofProcesses: [.max]) == nil)
    }
}
