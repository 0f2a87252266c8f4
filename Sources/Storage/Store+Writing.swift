// Storing, changing and removing items.
internal import CIntrinsics
public import Primitives

extension Store {
    /// Stores a value under a key, in place of what was there.
    ///
    /// A value of equal size and fields is written over the old one unless that is being sent.
    ///
    /// - Throws: ``StoreError``; the old item, if any, is then unchanged, or was evicted in vain.
    @discardableResult
    public mutating func put(
        _ key: RawSpan, hash: KeyHash, value: RawSpan, attributes: ItemAttributes, at now: Instant
    ) throws(StoreError) -> Item {
        let shape = ItemShape(
            keyCount: key.byteCount, valueCount: value.byteCount, attributes: attributes)
        let mixed = mixed(hash)
        let second = Self.second(now)
        let old = key.withUnsafeBytes { locate($0, mixed) }
        if let old, canOverwrite(old, with: shape, attributes, at: now) {
            let slot = Index.position(old.word).slot
            old.layout.writeHeader(shape, attributes, second: second)
            Self.copy(value, to: old.layout.valueStart)
            note(attributes, in: slot)
            counts.totalItems &+= 1
            return old
        }
        let before = moves
        let position = try allocate(shape.bytes, attributes.expiry, at: now)
        let fresh = layout(at: position)
        fresh.writeHeader(shape, attributes, second: second)
        Self.copy(key, to: fresh.keyStart)
        Self.copy(value, to: fresh.valueStart)
        let known = before == moves ? old : key.withUnsafeBytes { locate($0, mixed) }
        return link(position, fresh, shape.bytes, replacing: known, mixed, attributes)
    }

    /// Lengthens a value at one end; `attributes` replace the old ones.
    ///
    /// - Throws: ``StoreError``; the old item is then unchanged.
    @discardableResult
    public mutating func extend(
        _ item: Item, _ key: RawSpan, hash: KeyHash, with addition: RawSpan, atFront: Bool,
        attributes: ItemAttributes, at now: Instant
    ) throws(StoreError) -> Item {
        let oldCount = item.layout.valueCount
        let shape = ItemShape(
            keyCount: key.byteCount, valueCount: oldCount + addition.byteCount,
            attributes: attributes)
        let position = try allocate(shape.bytes, attributes.expiry, keeping: item, at: now)
        let fresh = layout(at: position)
        fresh.writeHeader(shape, attributes, second: Self.second(now))
        Self.copy(key, to: fresh.keyStart)
        let start = fresh.valueStart
        (start + (atFront ? addition.byteCount : 0)).copyMemory(
            from: item.layout.valueStart, byteCount: oldCount)
        Self.copy(addition, to: start + (atFront ? 0 : oldCount))
        return link(position, fresh, shape.bytes, replacing: item, mixed(hash), attributes)
    }

    /// Changes what is set on an item; its value and whether it was read stay.
    ///
    /// - Throws: ``StoreError`` where a field is added and no memory is left; the item is then
    ///   unchanged.
    @discardableResult
    public mutating func setAttributes(
        _ item: Item, _ key: RawSpan, hash: KeyHash, to attributes: ItemAttributes, at now: Instant
    ) throws(StoreError) -> Item {
        let old = item.layout
        let shape = ItemShape(
            keyCount: old.keyCount, valueCount: old.valueCount, attributes: attributes)
        let fetched = old.wasFetched
        let access = old.accessSecond
        if shape.options == old.options {
            old.writeHeader(shape, attributes, second: access)
            if fetched { old.noteRead(second: access) }
            note(attributes, in: Index.position(item.word).slot)
            return item
        }
        let position = try allocate(shape.bytes, attributes.expiry, keeping: item, at: now)
        let fresh = layout(at: position)
        fresh.writeHeader(shape, attributes, second: access)
        if fetched { fresh.noteRead(second: access) }
        fresh.keyStart.copyMemory(from: old.keyStart, byteCount: old.keyCount + old.valueCount)
        counts.totalItems &-= 1  // `link` counts a stored item; this one was counted before.
        return link(position, fresh, shape.bytes, replacing: item, mixed(hash), attributes)
    }

    /// Removes an item.
    public mutating func remove(_ item: Item) {
        let position = Index.position(item.word)
        index.remove(item.word)
        bury(item.layout, at: position)
    }

    // MARK: Steps

    /// Points the index at a written item, in place of the key's old one.
    mutating func link(
        _ position: ItemPosition, _ fresh: ItemLayout, _ bytes: Int, replacing old: Item?,
        _ mixed: UInt64, _ attributes: ItemAttributes
    ) -> Item {
        let info = info(position.slot)
        info.pointee.liveBytes &+= bytes
        info.pointee.liveItems &+= 1
        counts.liveBytes &+= bytes
        counts.totalItems &+= 1
        note(attributes, in: position.slot)
        if let old {
            let oldPosition = Index.position(old.word)
            Index.setPosition(old.word, position)
            bury(old.layout, at: oldPosition)
            return Item(layout: fresh, word: old.word)
        }
        let word = insert(mixed, position)
        guard index.wantsToGrow else { return Item(layout: fresh, word: word) }
        grow()
        // Growing may have moved the word to another bucket.
        return Item(layout: fresh, word: index.find(mixed, at: position) ?? word)
    }

    /// Adds an index word; a chain at its limit loses its least read item first.
    private mutating func insert(
        _ mixed: UInt64, _ position: ItemPosition
    ) -> UnsafeMutablePointer<UInt64> {
        while true {
            let word = index.insert(
                mixed, position, at: counts.merges, memory: UInt64(counts.slots))
            if let word { return word }
            guard let victim = index.coldest(mixed) else {
                preconditionFailure("an index chain is full and empty at once")
            }
            counts.chainEvictions &+= 1
            evicted(layout(at: Index.position(victim)), frequency: Index.frequency(victim))
            let victimPosition = Index.position(victim)
            index.remove(victim)
            bury(layout(at: victimPosition), at: victimPosition)
        }
    }

    /// Lets the index grow by a bucket or two where it is too full, and fetches the keys of the
    /// next split.
    private mutating func grow() {
        for _ in 0..<2 where index.wantsToGrow {
            let segments = segments
            let shift = segmentShift
            let secret = configuration.secret
            index.grow { position in
                let layout = ItemLayout(segments + (Int(position.slot) << shift + position.offset))
                return KeyHash(of: layout.key.bytes).mixed(with: secret)
            }
        }
        index.forEachInNextSplit { kiln_prefetch(layout(at: $0).address) }
        chargeIndex()
    }

    /// Tells the pool of the index's size, in steps, so that it isn't asked for each bucket.
    private mutating func chargeIndex() {
        let growth = index.bytes - chargedIndexBytes
        guard growth >= Self.indexChargeBytes else { return }
        source.charge(growth)
        chargedIndexBytes += growth
    }

    /// Bytes of index growth between two notes to the pool.
    private static let indexChargeBytes = 64 << 10

    @inline(__always)
    private func canOverwrite(
        _ old: Item, with shape: ItemShape, _ attributes: ItemAttributes, at now: Instant
    ) -> Bool {
        guard old.layout.options == shape.options && old.layout.valueCount == shape.valueCount
        else {
            return false
        }
        let info = info(Index.position(old.word).slot)
        guard info.pointee.pins == 0 || shape.valueCount < Self.pinnableBytes else { return false }
        guard attributes.expiry.tick != 0 else { return true }
        let wanted = TTLClass.of(attributes.expiry, nowTick: Expiry.ticks(at: now))
        let known = Int(info.pointee.ttlClass)
        return known == wanted || known == openClass(for: wanted)
    }

    @inline(__always)
    func note(_ attributes: ItemAttributes, in slot: UInt32) {
        note(version: attributes.version, expiry: attributes.expiry, in: slot)
    }

    /// Keeps a segment's bounds above what lies in it.
    @inline(__always)
    func note(version: Version, expiry: Expiry, in slot: UInt32) {
        let info = info(slot)
        if version.value > info.pointee.maxVersion { info.pointee.maxVersion = version.value }
        if expiry.tick == 0 {
            info.pointee.hasImmortal = true
        } else if expiry.tick > info.pointee.maxExpiryTick {
            info.pointee.maxExpiryTick = expiry.tick
        }
    }

    @inline(__always)
    static func copy(_ bytes: RawSpan, to destination: UnsafeMutableRawPointer) {
        bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            destination.copyMemory(from: start, byteCount: source.count)
        }
    }
}
