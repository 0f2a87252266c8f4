// What statistics ask of a store beyond its counters.
public import Primitives

extension Store {
    /// Whether storing one more new key makes the index grow.
    public var nextInsertGrowsIndex: Bool { index.nextInsertGrows }

    /// Rises whenever a segment is sealed; the command that does it goes on in another one.
    public var sealCount: UInt64 { nextSequence }

    /// Seconds since the last access of the first live item of the oldest sealed segment; 0 where there is none.
    ///
    /// What memcached calls the age of a class is that of its queue's last item; segments are queued here.
    public func oldestSeconds(at now: Instant) -> Int {
        var oldest: UInt32 = 0
        var lowest = UInt64.max
        for queue in queues where queue.head != 0 {
            let sequence = info(queue.head).pointee.sequence
            if sequence < lowest {
                lowest = sequence
                oldest = queue.head
            }
        }
        guard oldest != 0 else { return 0 }
        let end = Int(info(oldest).pointee.usedBytes)
        var offset = 0
        while offset < end {
            let layout = layout(at: ItemPosition(slot: oldest, offset: offset))
            if layout.isLive { return Int(Self.second(now) &- layout.accessSecond) }
            offset += layout.bytes
        }
        return 0
    }
}

extension Index {
    var nextInsertGrows: Bool {
        (itemCount &+ 1) &* 2 > bucketCount &* Self.doubledLoad
    }
}
