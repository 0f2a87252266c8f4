import Testing

@testable import CacheNode

struct StaticClusterTests {
    @Test("a list of nodes is read; weights decide the shares")
    func readsNodes() throws {
        let text = "cluster 7 3\nnode a 127.0.0.1 9001 1\nnode b 127.0.0.1 9002 3\n"
        let cluster = try #require(StaticCluster(parsing: text, name: "b"))
        #expect(cluster.identifier == 7 && cluster.epoch == 3 && cluster.own == 1)
        let table = cluster.ownerTable
        #expect(table.count { $0 == 0 } == 1024 && table.count { $0 == 1 } == 3072)
    }

    @Test(
        "what is no list of loopback nodes with this one among them is refused",
        arguments: [
            "", "cluster 1 1\n", "node a 127.0.0.1 9001 1\n",
            "cluster 1 1\nnode b 127.0.0.1 9001 1\n", "cluster 1 1\nnode a 127.0.0.1 0 1\n",
            "cluster 1 1\nnode a 127.0.0.1 9001 0\n", "cluster 1 1\nnode a 127.0.0.1 9001\n",
            "cluster x 1\nnode a 127.0.0.1 9001 1\n", "cluster 1 1\nnode a 192.168.0.1 9001 1\n",
            "cluster 1 1\nnode a 0.0.0.0 9001 1\n",
        ])
    func refusesOthers(text: String) {
        #expect(StaticCluster(parsing: text, name: "a") == nil)
    }
}
