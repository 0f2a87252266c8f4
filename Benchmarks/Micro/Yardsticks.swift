// Eviction policies to compare with, exact and per item, on keys that are small numbers.

/// A doubly linked list of keys, each in at most one list, through arrays.
struct KeyList {
    private var next: [Int32]
    private var previous: [Int32]
    private let end: Int

    init(keys: Int) {
        end = keys
        next = Array(repeating: Int32(keys), count: keys + 1)
        previous = next
    }

    var first: Int { Int(next[end]) }
    var isEmpty: Bool { first == end }

    mutating func append(_ key: Int) {
        let last = Int(previous[end])
        next[last] = Int32(key)
        previous[key] = Int32(last)
        next[key] = Int32(end)
        previous[end] = Int32(key)
    }

    mutating func remove(_ key: Int) {
        let (before, after) = (Int(previous[key]), Int(next[key]))
        next[before] = Int32(after)
        previous[after] = Int32(before)
    }
}

/// Least recently used, exactly.
struct ExactLRU {
    private let limit: Int
    private var used = 0
    private var bytes: [Int32]
    private var list: KeyList

    init(limit: Int, keys: Int) {
        self.limit = limit
        bytes = Array(repeating: 0, count: keys)
        list = KeyList(keys: keys)
    }

    /// Reads a key and stores it where it is missing; whether it was there.
    mutating func access(_ key: Int, _ count: Int) -> Bool {
        if bytes[key] != 0 {
            list.remove(key)
            list.append(key)
            return true
        }
        while used + count > limit && !list.isEmpty {
            let victim = list.first
            list.remove(victim)
            used -= Int(bytes[victim])
            bytes[victim] = 0
        }
        bytes[key] = Int32(count)
        used += count
        list.append(key)
        return false
    }
}

/// S3-FIFO (Yang et al., SOSP 2023): a small queue, a main queue with counts to 3, and a ghost
/// queue.
struct S3FIFO {
    private let limit: Int
    private var usedSmall = 0
    private var usedMain = 0
    private var ghostBytes = 0
    private var bytes: [Int32]
    private var ghostSize: [Int32]
    private var count: [UInt8]
    private var isMain: [Bool]
    private var small: KeyList
    private var main: KeyList
    private var ghosts: KeyList

    init(limit: Int, keys: Int) {
        self.limit = limit
        bytes = Array(repeating: 0, count: keys)
        ghostSize = bytes
        count = Array(repeating: 0, count: keys)
        isMain = Array(repeating: false, count: keys)
        small = KeyList(keys: keys)
        main = KeyList(keys: keys)
        ghosts = KeyList(keys: keys)
    }

    mutating func access(_ key: Int, _ size: Int) -> Bool {
        if bytes[key] != 0 {
            count[key] = min(3, count[key] + 1)
            return true
        }
        while usedSmall + usedMain + size > limit { evict() }
        bytes[key] = Int32(size)
        count[key] = 0
        if ghostSize[key] != 0 {
            ghosts.remove(key)
            ghostBytes -= Int(ghostSize[key])
            ghostSize[key] = 0
            insertMain(key)
        } else {
            isMain[key] = false
            usedSmall += size
            small.append(key)
        }
        return false
    }

    private mutating func insertMain(_ key: Int) {
        isMain[key] = true
        usedMain += Int(bytes[key])
        main.append(key)
    }

    private mutating func evict() {
        if usedSmall * 10 >= limit || main.isEmpty { evictSmall() } else { evictMain() }
    }

    private mutating func evictSmall() {
        let key = small.first
        small.remove(key)
        usedSmall -= Int(bytes[key])
        if count[key] > 0 {
            count[key] = 0
            insertMain(key)
            return
        }
        ghostSize[key] = bytes[key]
        ghostBytes += Int(bytes[key])
        ghosts.append(key)
        bytes[key] = 0
        while ghostBytes > limit * 9 / 10 {
            let oldest = ghosts.first
            ghosts.remove(oldest)
            ghostBytes -= Int(ghostSize[oldest])
            ghostSize[oldest] = 0
        }
    }

    private mutating func evictMain() {
        let key = main.first
        main.remove(key)
        if count[key] > 0 {
            count[key] -= 1
            main.append(key)
            return
        }
        usedMain -= Int(bytes[key])
        bytes[key] = 0
    }
}
