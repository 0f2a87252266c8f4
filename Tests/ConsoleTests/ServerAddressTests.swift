import Console
import Testing

@Suite struct ServerAddressTests {
    @Test(arguments: [
        ("localhost", ServerAddress.network(host: "localhost", port: 11211), "localhost:11211"),
        ("10.0.0.1:12", .network(host: "10.0.0.1", port: 12), "10.0.0.1:12"),
        ("[::1]:13", .network(host: "::1", port: 13), "[::1]:13"),
        ("[::1]", .network(host: "::1", port: 11211), "[::1]:11211"),
        ("fe80::1", .network(host: "fe80::1", port: 11211), "[fe80::1]:11211"),
        ("/run/kiln.sock", .unix(path: "/run/kiln.sock"), "/run/kiln.sock"),
        ("unix:kiln.sock", .unix(path: "kiln.sock"), "kiln.sock"),
    ])
    func readsEveryForm(_ text: String, _ address: ServerAddress, _ printed: String) throws {
        #expect(try ServerAddress(text) == address)
        #expect(address.description == printed)
    }

    @Test(arguments: ["", ":1", "a:", "a:0", "a:65536", "a:b", "[::1", "[::1]x", "[::1]:", "[]:1"])
    func refusesEveryOther(_ text: String) {
        #expect(throws: ConsoleError.malformedServer(text)) { try ServerAddress(text) }
    }
}
