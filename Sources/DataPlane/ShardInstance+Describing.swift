// Items as dumps list them.
import MemcacheProtocol
public import Primitives
public import Storage

/// How a dump shows an item; each is a line of memcached's.
public enum ItemListing: Sendable {
    /// `lru_crawler metadump`: everything known of an item but its value.
    case metadump
    /// `lru_crawler mgdump`: a command that fetches it.
    case mgdump
    /// `stats cachedump`: its key, size and end.
    case cachedump
}

extension ShardInstance {
    /// Appends one line about `item`.
    ///
    /// - Parameters:
    ///   - item: A live item of this shard.
    ///   - listing: What the line is to look like.
    ///   - now: The moment of the dump.
    ///   - origin: The date at which the node's clock showed 0, in seconds since 1970.
    ///   - output: Where the line goes.
    public mutating func describe(
        _ item: Item, as listing: ItemListing, at now: Instant, origin: Int64,
        to output: inout ByteWriter
    ) {
        switch listing {
        case .metadump: describeForMetadump(item, now, origin, &output)
        case .mgdump: describeForFetching(item, &output)
        case .cachedump: describeForCachedump(item, origin, &output)
        }
    }

    /// `key=%s exp=%ld la=%llu cas=%llu fetch=%s cls=%u size=%lu`.
    private mutating func describeForMetadump(
        _ item: Item, _ now: Instant, _ origin: Int64, _ output: inout ByteWriter
    ) {
        let attributes = store.attributes(of: item)
        output.append("key=")
        output.append(percentEncoded: store.key(of: item))
        if attributes.expiry == .never {
            output.append(" exp=-1")
        } else {
            output.append(" exp=")
            output.append(decimal: endSecond(of: attributes, origin))
        }
        output.append(" la=")
        let access = now.nanoseconds / 1_000_000_000 - store.secondsSinceAccess(item, at: now)
        output.append(decimal: UInt64(max(0, origin + access)))
        output.append(" cas=")
        output.append(decimal: attributes.cas)
        output.append(store.wasFetched(item) ? " fetch=yes" : " fetch=no")
        output.append(" cls=1 size=")
        output.append(decimal: UInt64(memcachedSize(of: item)))
        output.append("\n")
    }

    private mutating func describeForFetching(_ item: Item, _ output: inout ByteWriter) {
        output.append("mg ")
        if store.attributes(of: item).state.contains(.binaryKey) {
            Base64.encode(store.key(of: item), to: &output)
            output.append(" b\r\n")
        } else {
            output.append(store.key(of: item))
            output.append("\r\n")
        }
    }

    /// `ITEM %s [%d b; %llu s]`.
    private mutating func describeForCachedump(
        _ item: Item, _ origin: Int64, _ output: inout ByteWriter
    ) {
        let attributes = store.attributes(of: item)
        output.append("ITEM ")
        output.append(store.key(of: item))
        output.append(" [")
        output.append(decimal: UInt64(store.valueCount(of: item)))
        output.append(" b; ")
        let hasEnd = attributes.expiry != .never
        output.append(decimal: hasEnd ? endSecond(of: attributes, origin) : 0)
        output.append(" s]\r\n")
    }

    private func endSecond(of attributes: ItemAttributes, _ origin: Int64) -> UInt64 {
        let left = attributes.expiry.secondsLeft(at: Instant(nanoseconds: 0))
        return UInt64(max(0, origin + left))
    }

    /// What memcached would count for an item of this key, value and flags; `me` and dumps show it.
    mutating func memcachedSize(of item: Item) -> Int {
        let flags = store.attributes(of: item).flags == 0 ? 0 : 4
        let keyCount = store.key(of: item).byteCount
        return Self.memcachedItemOverhead + keyCount + store.valueCount(of: item) + flags
    }
}

extension ByteWriter {
    /// Appends a key as memcached shows it in logs and dumps: all but `A-Z a-z 0-9 - . _ ~` as
    /// `%XX`.
    public mutating func append(percentEncoded key: RawSpan) {
        for offset in 0..<key.byteCount {
            let byte = key.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"):
                append(byte)
            default:
                append(UInt8(ascii: "%"))
                append(Self.hexDigit(byte >> 4))
                append(Self.hexDigit(byte & 15))
            }
        }
    }

    private static func hexDigit(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "A") + nibble - 10
    }
}
