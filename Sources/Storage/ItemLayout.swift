// The bytes of one item. Sixteen bytes of header, then only the optional fields in use, the key,
// the value:
//
//   0  UInt64  version (63 bits), top bit: read at least once since it was stored
//   8  UInt32  seconds since the node started when last read (28 bits), lease state (top 4 bits)
//  12  UInt8   key length     13  UInt8  options     14  UInt16  value length (low 16 bits)
//  16  [flags 4] [expiry 4] [value length, high bits 4] [client CAS 8] [fence 8], each if its
//      option is set
//      key, value, padding to 4 bytes
//
// Segcache (Yang et al., NSDI 2021, section 4.4) shares metadata between neighbours in the same
// way; the version must stay per item because it decides which value is newer.
internal import CIntrinsics
internal import Primitives

/// Which optional fields an item has, and whether it counts.
struct ItemOptions: OptionSet {
    let rawValue: UInt8

    static let flags = ItemOptions(rawValue: 1)
    static let expiry = ItemOptions(rawValue: 2)
    static let long = ItemOptions(rawValue: 4)
    static let clientCAS = ItemOptions(rawValue: 8)
    static let fence = ItemOptions(rawValue: 16)
    /// Replaced, removed or moved: nothing points here any more.
    static let dead = ItemOptions(rawValue: 32)
    /// Being uploaded: nothing points here yet.
    static let pending = ItemOptions(rawValue: 64)

    static let layout: ItemOptions = [.flags, .expiry, .long, .clientCAS, .fence]

    /// Bytes of the optional fields.
    @inline(__always)
    var fieldBytes: Int {
        let bits = Int(rawValue)
        return 4 &* ((bits & 1) &+ (bits >> 1 & 1) &+ (bits >> 2 & 1))
            &+ 8 &* ((bits >> 3 & 1) &+ (bits >> 4 & 1))
    }
}

/// The fields an item needs and the bytes it takes: decided before memory is asked for.
struct ItemShape: Equatable {
    var keyCount: Int
    var valueCount: Int
    var options: ItemOptions

    init(keyCount: Int, valueCount: Int, attributes: ItemAttributes) {
        self.keyCount = keyCount
        self.valueCount = valueCount
        var options: ItemOptions = []
        if attributes.flags != 0 { options.insert(.flags) }
        if attributes.expiry.tick != 0 { options.insert(.expiry) }
        if valueCount > Int(UInt16.max) { options.insert(.long) }
        if attributes.clientCAS != 0 { options.insert(.clientCAS) }
        if attributes.fence != 0 { options.insert(.fence) }
        self.options = options
    }

    var bytes: Int {
        (ItemLayout.headerBytes &+ options.fieldBytes &+ keyCount &+ valueCount &+ 3) & ~3
    }
}

/// One item's bytes, wherever they lie.
struct ItemLayout {
    static let headerBytes = 16
    /// Header, shortest key, padding: no item is smaller.
    static let smallestBytes = 20
    private static let fetchedBit: UInt64 = 1 << 63
    private static let accessMask: UInt32 = (1 << 28) - 1

    let address: UnsafeMutableRawPointer

    @inline(__always)
    init(_ address: UnsafeMutableRawPointer) {
        self.address = address
    }

    var options: ItemOptions {
        @inline(__always) get {
            ItemOptions(rawValue: address.load(fromByteOffset: 13, as: UInt8.self))
        }
        nonmutating set {
            address.storeBytes(of: newValue.rawValue, toByteOffset: 13, as: UInt8.self)
        }
    }

    var isLive: Bool { options.isDisjoint(with: [.dead, .pending]) }

    var keyCount: Int {
        @inline(__always) get { Int(address.load(fromByteOffset: 12, as: UInt8.self)) }
    }

    var valueCount: Int {
        @inline(__always) get {
            let low = Int(address.load(fromByteOffset: 14, as: UInt16.self))
            let options = options
            guard options.contains(.long) else { return low }
            let offset = 16 &+ options.intersection([.flags, .expiry]).fieldBytes
            return Int(address.load(fromByteOffset: offset, as: UInt32.self)) &<< 16 | low
        }
    }

    var keyStart: UnsafeMutableRawPointer {
        @inline(__always) get { address + (Self.headerBytes &+ options.fieldBytes) }
    }

    var valueStart: UnsafeMutableRawPointer {
        @inline(__always) get { keyStart + keyCount }
    }

    var bytes: Int {
        (Self.headerBytes &+ options.fieldBytes &+ keyCount &+ valueCount &+ 3) & ~3
    }

    var key: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: keyStart, count: keyCount) }

    @inline(__always)
    func hasKey(_ key: UnsafeRawBufferPointer) -> Bool {
        guard keyCount == key.count, let other = key.baseAddress else { return false }
        return kiln_equal(keyStart, other, UInt(key.count)) != 0
    }

    var version: Version {
        Version(value: address.loadUnaligned(as: UInt64.self) & ~Self.fetchedBit)
    }

    var expiry: Expiry {
        @inline(__always) get {
            let options = options
            guard options.contains(.expiry) else { return .never }
            let offset = 16 &+ options.intersection(.flags).fieldBytes
            return Expiry(tick: address.load(fromByteOffset: offset, as: UInt32.self))
        }
    }

    var wasFetched: Bool { address.loadUnaligned(as: UInt64.self) & Self.fetchedBit != 0 }

    var state: ItemState {
        ItemState(rawValue: UInt8(address.load(fromByteOffset: 8, as: UInt32.self) >> 28))
    }

    var accessSecond: UInt32 {
        address.load(fromByteOffset: 8, as: UInt32.self) & Self.accessMask
    }

    /// Notes a read: at most one write to the item a minute, as its cache line is shared with
    /// readers.
    @inline(__always)
    func noteRead(second: UInt32) {
        let first = address.loadUnaligned(as: UInt64.self)
        if first & Self.fetchedBit == 0 {
            address.storeBytes(of: first | Self.fetchedBit, as: UInt64.self)
        }
        let word = address.load(fromByteOffset: 8, as: UInt32.self)
        if second &- (word & Self.accessMask) >= Self.accessGranularity {
            address.storeBytes(
                of: word & ~Self.accessMask | second & Self.accessMask, toByteOffset: 8,
                as: UInt32.self)
        }
    }

    /// Seconds between two notes of an access, as memcached's ITEM_UPDATE_INTERVAL.
    static let accessGranularity: UInt32 = 60

    var attributes: ItemAttributes {
        var attributes = ItemAttributes(version: version)
        attributes.state = state
        let options = options
        var offset = Self.headerBytes
        if options.contains(.flags) {
            attributes.flags = address.load(fromByteOffset: offset, as: UInt32.self)
            offset &+= 4
        }
        if options.contains(.expiry) {
            attributes.expiry = Expiry(tick: address.load(fromByteOffset: offset, as: UInt32.self))
            offset &+= 4
        }
        if options.contains(.long) { offset &+= 4 }
        if options.contains(.clientCAS) {
            attributes.clientCAS = address.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            offset &+= 8
        }
        if options.contains(.fence) {
            attributes.fence = address.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        }
        return attributes
    }

    /// Writes header and optional fields; key and value are written by the caller.
    func writeHeader(
        _ shape: ItemShape, _ attributes: ItemAttributes, second: UInt32, extra: ItemOptions = []
    ) {
        assert(attributes.version.value & Self.fetchedBit == 0, "a version has 63 bits")
        address.storeBytes(of: attributes.version.value, as: UInt64.self)
        let access = second & Self.accessMask | UInt32(attributes.state.rawValue) << 28
        address.storeBytes(of: access, toByteOffset: 8, as: UInt32.self)
        address.storeBytes(of: UInt8(shape.keyCount), toByteOffset: 12, as: UInt8.self)
        options = shape.options.union(extra)
        address.storeBytes(
            of: UInt16(truncatingIfNeeded: shape.valueCount), toByteOffset: 14, as: UInt16.self)
        writeFields(shape, attributes)
    }

    private func writeFields(_ shape: ItemShape, _ attributes: ItemAttributes) {
        var offset = Self.headerBytes
        if shape.options.contains(.flags) {
            address.storeBytes(of: attributes.flags, toByteOffset: offset, as: UInt32.self)
            offset &+= 4
        }
        if shape.options.contains(.expiry) {
            address.storeBytes(of: attributes.expiry.tick, toByteOffset: offset, as: UInt32.self)
            offset &+= 4
        }
        if shape.options.contains(.long) {
            address.storeBytes(
                of: UInt32(shape.valueCount >> 16), toByteOffset: offset, as: UInt32.self)
            offset &+= 4
        }
        if shape.options.contains(.clientCAS) {
            address.storeBytes(of: attributes.clientCAS, toByteOffset: offset, as: UInt64.self)
            offset &+= 8
        }
        if shape.options.contains(.fence) {
            address.storeBytes(of: attributes.fence, toByteOffset: offset, as: UInt64.self)
        }
    }
}
