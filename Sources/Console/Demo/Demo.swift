import Glibc

/// The story that `kiln demo` tells: three nodes, a crowd, a death and a return.
public struct Demo {
    private let cluster: DemoCluster
    private let seconds: Int

    /// Tells it, each load lasting `seconds`; everything that was started is stopped at the end.
    public static func run(seconds: Int) throws(ConsoleError) {
        let cluster = try DemoCluster()
        defer { cluster.end() }
        try Demo(cluster: cluster, seconds: seconds).tell()
    }

    private func tell() throws(ConsoleError) {
        try say("Three nodes, each on ports of its own; the second and third join the first.")
        for number in 1...3 { try cluster.start(number) }
        let formed = try cluster.awaitRing(of: 3, asking: 1)
        try say("One ring after \(milliseconds(formed)). Any node answers any key:")
        try cluster.show(["members"], asking: 2)
        try cluster.show(["set", "greeting", "hello from kiln"], asking: 1)
        try cluster.show(["get", "greeting"], asking: 3)
        try cluster.show(["ring", "locate", "greeting"], asking: 2)

        try say("A crowd with a Zipf taste in keys, through all three nodes:")
        try load()
        try cluster.show(["hotkeys", "-n", "5"], asking: 1)
        try say("What each node was asked in all:")
        try perNode()

        let victim = try cluster.leader()
        try say("kill -9 of node \(victim), which leads the cluster, under the same load:")
        let other = victim == 1 ? 2 : 1
        let crowd = try cluster.begin(loadWords(asking: [other]) + ["--quiet"])
        let beginning = DemoCluster.now
        cluster.kill(victim)
        let taken = try cluster.awaitWrites(asking: other, since: beginning)
        try say(
            "Every key can be written again \(milliseconds(taken)) after the kill: the others"
                + " waited until the dead node's right to serve had run out, so that nobody reads"
                + " an old value from it.")
        try cluster.show(["members"], asking: other)
        cluster.finish(crowd)

        try say("It comes back, with nothing in memory, and takes its part of the keys again:")
        try cluster.start(victim)
        let back = try cluster.awaitRing(of: 3, asking: other)
        try say("One ring of three after \(milliseconds(back)).")
        try load()
        try say("What happened, as node \(other) saw it:")
        try cluster.show(["events"], asking: other)
        try say("Stopping everything.")
    }

    private func load() throws(ConsoleError) {
        cluster.finish(try cluster.begin(loadWords(asking: [1, 2, 3]), isShown: true))
    }

    private func loadWords(asking numbers: [Int]) -> [String] {
        let servers = numbers.map { cluster.address($0) }.joined(separator: ",")
        return [
            "bench", "load", "--server", servers, "--clients", "24", "--keys", "zipf:1.1",
            "--key-count", "20000", "--ratio", "1:9", "--time", "\(seconds)", "--on-error",
            "continue",
        ]
    }

    private func perNode() throws(ConsoleError) {
        var table = Table([
            .init("NODE"), .init("GETS", .right), .init("SETS", .right), .init("ITEMS", .right),
        ])
        for number in 1...3 {
            let numbers = try cluster.statistics(
                number, ["cmd_get", "cmd_set", "curr_items"])
            table.append(["n\(number)"] + numbers)
        }
        try Terminal.write(table.text(styled: Terminal.isStyled))
    }

    private func say(_ text: String) throws(ConsoleError) {
        try Terminal.write("\n\(text)\n")
    }

    private func milliseconds(_ nanoseconds: Int64) -> String {
        "\(nanoseconds / 1_000_000) ms"
    }
}
