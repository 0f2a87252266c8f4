/// What `kiln hotkeys` shows.
public struct HotKeysReport: Sendable {
    private let answer: JSONText
    private let rows: [HotKeyRow]
    private let milliseconds: Int
    private let total: Double

    /// A report of a node's answer to `kiln hotkeys`.
    public init(_ answer: [UInt8], server: ServerAddress) throws(ConsoleError) {
        do throws(JSONProblem) {
            let json = try JSONText(parsing: answer)
            self.answer = json
            milliseconds = try json.number("window_ms")
            total = try json.number("ops_per_s")
            var rows: [HotKeyRow] = []
            for element in try json.elements("hot_keys") { rows.append(try HotKeyRow(element)) }
            self.rows = rows
        } catch {
            throw .unexpectedReply(server: server.description, reply: "\(error)")
        }
    }

    /// The answer as it came.
    public var json: JSONText { answer }

    /// One row per key, the hottest first.
    public func table(styled: Bool) -> String {
        var table = Table([
            .init("#", .right), .init("KEY"), .init("OPS/S", .right), .init("+-", .right),
            .init("SHARE", .right), .init("READS/S", .right), .init("WRITES/S", .right),
            .init("BYTES/S", .right), .init("SIZE", .right), .init("TTL", .right), .init("STATE"),
            .init("OWNER"),
        ])
        for row in rows {
            table.append(printable: [
                "\(row.rank)", printable(row.key), decimal(row.operationsPerSecond, places: 0),
                decimal(row.error, places: 0), percentage(row.share),
                decimal(row.readsPerSecond, places: 0), decimal(row.writesPerSecond, places: 0),
                byteText(UInt64(max(0, row.bytesPerSecond))),
                row.valueBytes.map { byteText(UInt64(max(0, $0))) } ?? "-",
                row.ttlSeconds.map { "\($0)s" } ?? "-", row.state, printable(row.owner),
            ])
        }
        let window = decimal(Double(milliseconds) / 1000, places: 1)
        let summary = "\(rows.count) keys, \(rateText(total)) in all, over \(window) s\n"
        return rows.isEmpty ? "no hot keys; \(summary)" : table.text(styled: styled) + summary
    }
}
