// From the bytes of log segments back to a log: pure, so that a simulated disk uses the same code
// as a real one.

public import Primitives

extension RaftInstance {
    /// One record of a log segment.
    public enum LogRecord: Equatable, Sendable {
        /// A segment begins; the log ended at `previousIndex`. With `resets`, no segment before it
        /// counts.
        case start(previousIndex: LogIndex, resets: Bool)
        /// Entries that were written together; they replace those from the first one's index on.
        case batch([Entry])
    }

    /// Reads segments in order and collects the entries that count.
    public struct LogReplay: Sendable {
        /// The log so far, consecutive.
        public private(set) var entries: [Entry] = []
        /// Where the log ends; where it begins if it has no entries.
        public private(set) var lastIndex: LogIndex?
        /// The highest index that the log had while the segment read last was written.
        public private(set) var highestIndexOfSegment: LogIndex = 0

        /// Begins without an entry.
        public init() {}

        /// Reads the next segment.
        ///
        /// - Parameters:
        ///   - bytes: The segment's bytes.
        ///   - isLast: Whether no segment follows: only the last one may end in a torn record.
        /// - Returns: How many bytes count. Fewer than given where the last record is torn: the
        ///   file is to be cut there. 0 where not even the segment's beginning was written.
        /// - Throws: ``RaftError`` where something that was on disk is not there any more.
        public mutating func read(
            _ bytes: [UInt8], isLast: Bool
        ) throws(RaftError) -> Int {
            var offset = 0
            while true {
                switch RecordFrame.read(bytes, at: offset) {
                case .end:
                    guard offset > 0 || isLast else { throw .damagedRecord(offset: 0) }
                    return offset
                case .torn:
                    guard isLast else { throw .damagedRecord(offset: offset) }
                    return offset
                case .damaged: throw .damagedRecord(offset: offset)
                case .record(let content):
                    let record = try decode(bytes, content, at: offset)
                    try take(record, at: offset)
                    offset = content.upperBound + RecordFrame.footBytes
                }
            }
        }

        private func decode(
            _ bytes: [UInt8], _ content: Range<Int>, at offset: Int
        ) throws(RaftError) -> LogRecord {
            do {
                return try LogRecord(protobuf: Array(bytes[content]))
            } catch {
                throw .unreadableRecord(offset: offset, error)
            }
        }

        private mutating func take(
            _ record: LogRecord, at offset: Int
        ) throws(RaftError) {
            switch record {
            case .start(let previousIndex, let resets):
                guard offset == 0 else { throw .damagedRecord(offset: offset) }
                if resets {
                    entries = []
                } else if let lastIndex, lastIndex != previousIndex {
                    throw .gapInLog(expected: lastIndex + 1, found: previousIndex + 1)
                }
                lastIndex = previousIndex
                highestIndexOfSegment = previousIndex
            case .batch(let batch):
                guard offset > 0 else { throw .damagedRecord(offset: offset) }
                for (position, entry) in batch.enumerated() {
                    try take(entry, isFirst: position == 0)
                }
            }
        }

        private mutating func take(_ entry: Entry, isFirst: Bool) throws(RaftError) {
            let expected = (lastIndex ?? 0) + 1
            guard entry.index > 0, isFirst ? entry.index <= expected : entry.index == expected
            else { throw .gapInLog(expected: expected, found: entry.index) }
            if let first = entries.first, entry.index >= first.index {
                entries.removeSubrange(Int(entry.index - first.index)...)
            } else {
                entries = []
            }
            entries.append(entry)
            lastIndex = entry.index
            highestIndexOfSegment = max(highestIndexOfSegment, entry.index)
        }
    }
}

extension RaftInstance.LogRecord {
    /// The record as bytes, framed.
    public var framed: [UInt8] {
        var writer = ProtobufWriter(capacity: 64)
        switch self {
        case .start(let previousIndex, let resets):
            writer.message(field: 1) { $0.varints(previousIndex, resets ? 1 : 0) }
        case .batch(let entries):
            writer.message(field: 2) { batch in
                for entry in entries { batch.message(field: 1) { entry.write(&$0) } }
            }
        }
        return RecordFrame.encode(writer.bytes)
    }

    /// Reads a record's content.
    ///
    /// - Throws: ``ProtobufError`` when it is none.
    public init(protobuf bytes: [UInt8]) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        var record: Self?
        while let field = try reader.nextField() {
            switch field.number {
            case 1:
                var content = try reader.message(field)
                let numbers = try content.varints(2)
                record = .start(previousIndex: numbers[0], resets: numbers[1] != 0)
            case 2:
                var content = try reader.message(field)
                record = .batch(try Self.entries(&content))
            default: try reader.skip(field)
            }
        }
        guard let record else { throw .missingField(field: 1, offset: bytes.count) }
        self = record
    }

    private static func entries(
        _ reader: inout ProtobufReader
    ) throws(ProtobufError) -> [RaftInstance.Entry] {
        var entries: [RaftInstance.Entry] = []
        while let field = try reader.nextField() {
            guard field.number == 1 else {
                try reader.skip(field)
                continue
            }
            try entries.appendEntry(field, &reader)
        }
        return entries
    }
}
