// The hot path of a retrieval: everything a reply needs, in one call and one pass over the item's
// header.
internal import CIntrinsics
public import Primitives

/// What a retrieval's reply is made of; valid for as long as its ``item``.
public struct RetrievedItem {
    /// The item's handle.
    public let item: Item
    /// The value's bytes.
    public let value: UnsafeRawBufferPointer
    /// The client's 32 bits.
    public let flags: UInt32
    /// The lease state; a stub is not noted as read.
    public let state: ItemState
}

extension Store {
    /// Finds a key's item for a client that reads it: ``find(_:hash:at:)``, ``noteRead(_:at:)`` and
    /// what a reply shows.
    ///
    /// - Returns: nil where there is no item to serve.
    public mutating func retrieve(_ key: RawSpan, hash: KeyHash, at now: Instant) -> RetrievedItem?
    {
        let mixed = mixed(hash)
        let keyCount = key.byteCount
        guard let item = key.withUnsafeBytes({ locate($0, mixed) }) else { return nil }
        let layout = item.layout
        let options = layout.options
        let plain = options.isDisjoint(with: ItemOptions.layout)
        if layout.version < floor { return nil }
        var flags: UInt32 = 0
        if !plain {
            if layout.expiry.hasPassed(at: now) { return nil }
            if options.contains(.flags) {
                flags = layout.address.load(fromByteOffset: ItemLayout.headerBytes, as: UInt32.self)
            }
        }
        let state = layout.state
        if !state.contains(.stub) { noteRead(item, at: now) }
        let start =
            plain ? layout.address + (ItemLayout.headerBytes &+ keyCount) : layout.valueStart
        return RetrievedItem(
            item: item, value: UnsafeRawBufferPointer(start: start, count: layout.valueCount),
            flags: flags, state: state)
    }
}
