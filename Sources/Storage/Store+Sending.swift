// Values that are sent from, and received into, the segments themselves.
public import Primitives

extension Store {
    /// Keeps an item's bytes in place, unchanged, until ``unpin(_:)``.
    ///
    /// - Precondition: The value has at least ``pinnableBytes``: shorter ones are overwritten in
    ///   place.
    public mutating func pin(_ item: Item) -> PinnedValue {
        precondition(
            item.layout.valueCount >= Self.pinnableBytes, "a value is too short to be pinned")
        let slot = Index.position(item.word).slot
        info(slot).pointee.pins += 1
        let layout = item.layout
        return PinnedValue(
            bytes: UnsafeRawBufferPointer(start: layout.valueStart, count: layout.valueCount),
            token: PinToken(slot: slot))
    }

    /// Ends one ``pin(_:)``.
    public mutating func unpin(_ token: PinToken) {
        let info = info(token.slot)
        precondition(info.pointee.pins > 0, "segment \(token.slot) is unpinned once too often")
        info.pointee.pins -= 1
        freeIfEmpty(token.slot)
    }

    /// Bytes that uploads of one store may hold before they are complete: half of its
    /// segments' worth, and always one value.
    private var pendingLimit: Int {
        max(
            itemSizeLimit,
            max(counts.slots * configuration.segmentBytes, configuration.shareBytes) / 2)
    }

    /// Takes space for a value that is still to arrive; ``commit`` or ``abort(_:)`` ends the
    /// reservation.
    ///
    /// - Throws: ``StoreError``, also where the uploads under way hold their share of memory.
    public mutating func reserve(
        _ key: RawSpan, valueCount: Int, attributes: ItemAttributes, at now: Instant
    ) throws(StoreError) -> Reservation {
        let shape = ItemShape(
            keyCount: key.byteCount, valueCount: valueCount, attributes: attributes)
        guard counts.pendingBytes == 0 || counts.pendingBytes + shape.bytes <= pendingLimit else {
            throw .outOfMemory
        }
        let position = try allocate(shape.bytes, attributes.expiry, at: now)
        let fresh = layout(at: position)
        fresh.writeHeader(shape, attributes, second: Self.second(now), extra: .pending)
        Self.copy(key, to: fresh.keyStart)
        info(position.slot).pointee.pins += 1
        counts.pendingBytes += shape.bytes
        return Reservation(
            destination: UnsafeMutableRawBufferPointer(start: fresh.valueStart, count: valueCount),
            layout: fresh, shape: shape, slot: position.slot)
    }

    /// Makes a reserved value the key's item; it has been received in full.
    ///
    /// - Precondition: `attributes` need the same optional fields as those reserved with.
    @discardableResult
    public mutating func commit(
        _ reservation: Reservation, _ key: RawSpan, hash: KeyHash, attributes: ItemAttributes,
        at now: Instant
    ) -> Item {
        let shape = reservation.shape
        precondition(
            ItemShape(
                keyCount: shape.keyCount, valueCount: shape.valueCount, attributes: attributes)
                == shape,
            "an upload's attributes changed their shape")
        counts.pendingBytes -= shape.bytes
        let layout = reservation.layout
        layout.writeHeader(shape, attributes, second: Self.second(now))
        let offset = layout.address - (segments + Int(reservation.slot) << segmentShift)
        let position = ItemPosition(slot: reservation.slot, offset: offset)
        let mixed = mixed(hash)
        let old = key.withUnsafeBytes { locate($0, mixed) }
        let item = link(position, layout, shape.bytes, replacing: old, mixed, attributes)
        info(reservation.slot).pointee.pins -= 1
        return item
    }

    /// Gives a reservation's space up.
    public mutating func abort(_ reservation: Reservation) {
        counts.pendingBytes -= reservation.shape.bytes
        reservation.layout.options.insert(.dead)
        info(reservation.slot).pointee.pins -= 1
        freeIfEmpty(reservation.slot)
    }
}
