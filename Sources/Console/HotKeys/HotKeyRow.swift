/// One hot key as a node reports it.
struct HotKeyRow: Equatable, Sendable {
    /// Its place in the node's order, from 1.
    var rank: Int
    /// The key, percent-encoded by the node where it is not printable.
    var key: String
    /// Operations a second in the window.
    var operationsPerSecond: Double
    /// How far ``operationsPerSecond`` may be above the truth.
    var error: Double
    /// Its share of all operations, 0 through 1.
    var share: Double
    /// Reads a second.
    var readsPerSecond: Double
    /// Writes a second.
    var writesPerSecond: Double
    /// Bytes of values moved a second.
    var bytesPerSecond: Double
    /// The value's size; nil where it is not known.
    var valueBytes: Int?
    /// Seconds the item has left; nil for ever, or where it is not known.
    var ttlSeconds: Int?
    /// The node that owns the key.
    var owner: String
    /// Nodes that hold a copy.
    var copies: [String]
    /// What the policy thinks of it: `hot`, `write-hot`, `warm` ...
    var state: String

    /// Reads an element of `hot_keys`.
    init(_ json: JSONText) throws(JSONProblem) {
        rank = try json.number("rank")
        key = try json.text("key")
        operationsPerSecond = try json.number("ops_per_s")
        error = try json.number("error")
        share = try json.number("share")
        readsPerSecond = try json.number("reads_per_s")
        writesPerSecond = try json.number("writes_per_s")
        bytesPerSecond = try json.number("bytes_per_s")
        valueBytes = try json.optionalNumber("value_bytes")
        ttlSeconds = try json.optionalNumber("ttl_s")
        owner = try json.text("owner")
        copies = try json.texts("copies")
        state = try json.text("state")
    }
}
