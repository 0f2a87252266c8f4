// `stats` and the commands that look inside.
internal import DataPlane
internal import MemcacheProtocol
internal import Primitives
internal import Storage

extension DataLoop {
    mutating func answerStatistics(_ command: Command, _ window: Int) {
        var total = StoreStatistics()
        for shard in 0..<shards.count {
            total.add(shards.withShard(shard) { $0.store.statistics })
        }
        reply.bytes.append(text: "STAT pid \(shared.processIdentifier)\r\n")
        reply.bytes.append(text: "STAT curr_items \(total.items)\r\n")
        reply.bytes.append(text: "STAT bytes \(total.liveBytes)\r\n")
        reply.bytes.append(text: "STAT evictions \(total.evictions)\r\n")
        reply.bytes.append(text: "STAT debug \(total)\r\n")
        reply.bytes.append("END\r\n")
    }
}
