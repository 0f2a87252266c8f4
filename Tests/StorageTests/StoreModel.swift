// A store next to a dictionary: every operation runs on both, and they must agree.
import Primitives
import Testing

@testable import Storage

/// What a model run may do.
struct ModelPlan: Sendable, CustomTestStringConvertible {
    var testDescription: String { name }

    var name: String
    var operations: Int
    var keys: Int
    var limitBytes: Int
    var segmentBytes = 32 << 10
    /// Most values are shorter than this.
    var valueLimit = 400
    /// One value in a hundred is up to this long.
    var largeLimit = 20_000
    var itemSizeLimit = 1 << 20
    var evicts = true
    /// Whether memory is so large that no item may vanish.
    var isAmple = false
    /// Shares of operations that advance the clock, flush, pin and upload, in 1/1000.
    var clockShare = 20
    var flushShare = 0
    var expiryShare = 30  // In 1/100 of puts.
    var checkEvery = 20_000
}

/// An item as the dictionary knows it.
struct ModelItem {
    var value: [UInt8]
    var attributes: ItemAttributes
}

struct ModelPin {
    var pinned: PinnedValue
    var bytes: [UInt8]
}

struct ModelUpload {
    var reservation: Reservation
    var key: Int
    var value: [UInt8]
    var attributes: ItemAttributes
}

/// Runs a plan.
struct ModelRun: ~Copyable {
    let plan: ModelPlan
    let seed: UInt64
    let pool: TestPool
    var store: Store
    var clock = TestClock()
    var random: SeededGenerator
    var model: [Int: ModelItem] = [:]
    var keys: [[UInt8]] = []
    var pins: [ModelPin] = []
    var uploads: [ModelUpload] = []
    var counter: UInt64 = 0
    var vanished = 0
    var refused = 0
    let pattern: [UInt8]

    init(_ plan: ModelPlan, seed: UInt64) {
        self.plan = plan
        self.seed = seed
        random = SeededGenerator(seed: seed)
        pool = TestPool(limitBytes: plan.limitBytes, segmentBytes: plan.segmentBytes)
        store = pool.makeStore(
            itemSizeLimit: plan.itemSizeLimit, evicts: plan.evicts, secret: seed)
        var bytes = SeededGenerator(seed: 1)
        pattern = (0..<(1 << 20)).map { _ in UInt8(truncatingIfNeeded: bytes.next()) }
        for key in 0..<plan.keys {
            let length = 4 + Int(random.next() % 40) + (key % 97 == 0 ? 200 : 0)
            keys.append(Array("\(key)".utf8) + Array(repeating: 0x6B, count: length))
        }
    }

    mutating func pick(_ limit: Int) -> Int { Int(random.next() % UInt64(limit)) }

    mutating func value() -> [UInt8] {
        // A few sizes come often, so that values are overwritten in place.
        let count =
            switch pick(100) {
            case 0: pick(3) == 0 ? plan.largeLimit : pick(plan.largeLimit)
            case 1..<40: [0, 8, 100, 101][pick(4)]
            default: pick(plan.valueLimit)
            }
        let start = pick(pattern.count - min(count, pattern.count - 1))
        if count >= pattern.count { return Array(repeating: UInt8(pick(256)), count: count) }
        return Array(pattern[start..<start + count])
    }

    mutating func version() -> Version {
        counter += 1
        return Version(epoch: 1, counter: counter)
    }

    mutating func attributes() -> ItemAttributes {
        var attributes = ItemAttributes(version: version())
        if pick(3) == 0 { attributes.flags = UInt32(truncatingIfNeeded: random.next()) }
        if pick(100) < plan.expiryShare {
            let seconds = [1, 2, 5, 10, 60, 300, 3600, 86_400, 1 << 20][pick(9)] + pick(3)
            attributes.expiry = Expiry(after: Int64(seconds), from: clock.now)
        }
        if pick(10) == 0 { attributes.clientCAS = random.next() | 1 }
        if pick(10) == 0 { attributes.fence = random.next() | 1 }
        if pick(10) == 0 { attributes.state = ItemState(rawValue: UInt8(pick(8))) }
        return attributes
    }

    // MARK: Agreement

    /// What the model has to serve of a key.
    func expected(_ key: Int) -> ModelItem? {
        guard let item = model[key], !item.attributes.expiry.hasPassed(at: clock.now),
            item.attributes.version >= store.minVersion
        else { return nil }
        return item
    }

    /// Looks a key up in both; an item that vanished leaves the model, if it was allowed to.
    mutating func look(_ key: Int) -> Item? {
        let wanted = expected(key)
        guard let item = store.item(keys[key], at: clock.now) else {
            if wanted != nil {
                vanished += 1
                if plan.isAmple { fail("an item vanished with memory left", key) }
            }
            model[key] = nil
            return nil
        }
        guard let wanted else {
            fail("the store serves what has ended or was removed", key)
            return item
        }
        agree(item, wanted, key)
        return item
    }

    mutating func agree(_ item: Item, _ wanted: ModelItem, _ key: Int) {
        if store.attributes(of: item) != wanted.attributes { fail("attributes differ", key) }
        let same = store.value(of: item).withUnsafeBytes { bytes in
            wanted.value.withUnsafeBytes { sameBytes(bytes, $0) }
        }
        if !same { fail("values differ", key) }
        if store.valueCount(of: item) != wanted.value.count { fail("counts differ", key) }
    }

    func fail(_ what: String, _ key: Int) {
        Issue.record("\(what): key \(key), plan \(plan.name), seed \(seed), counter \(counter)")
    }

    func refuse(_ error: StoreError, _ bytes: Int) {
        if case .tooLarge = error {
            if bytes + 300 <= plan.itemSizeLimit { fail("\(error) for \(bytes) bytes", -1) }
        } else if plan.isAmple {
            fail("\(error) with memory left", -1)
        }
    }

    // MARK: Operations

    mutating func step() {
        let key = pick(plan.keys)
        let share = pick(1000)
        if share < plan.clockShare {
            clock.advance(milliseconds: Int64(pick(pick(50) == 0 ? 100_000 : 500)))
        } else if share < plan.clockShare + plan.flushShare {
            store.minVersion = version()
        } else {
            operate(on: key)
        }
    }

    mutating func operate(on key: Int) {
        switch pick(100) {
        case 0..<40: read(key)
        case 40..<70: put(key)
        case 70..<78: extend(key)
        case 78..<86: touch(key)
        case 86..<92: remove(key)
        case 92..<94: pin(key)
        case 94..<96: unpin()
        case 96: upload(key)
        case 97: finishUpload()
        default: maintain()
        }
    }

    mutating func read(_ key: Int) {
        guard let item = look(key), let wanted = model[key] else { return }
        if pick(2) == 0 { retrieve(key, wanted) } else { store.noteRead(item, at: clock.now) }
        let isStub = wanted.attributes.state.contains(.stub)
        if !store.wasFetched(item) && !isStub { fail("a read is not noted", key) }
        agree(item, wanted, key)
    }

    mutating func retrieve(_ key: Int, _ wanted: ModelItem) {
        let name = keys[key]
        let hash = KeyHash(of: name.span.bytes)
        guard let found = store.retrieve(name.span.bytes, hash: hash, at: clock.now) else {
            fail("an item is found but not retrieved", key)
            return
        }
        let same = wanted.value.withUnsafeBytes { sameBytes($0, found.value) }
        if !same || found.flags != wanted.attributes.flags
            || found.state != wanted.attributes.state
        {
            fail("an item is retrieved as another", key)
        }
    }

    mutating func put(_ key: Int) {
        _ = look(key)
        let value = value()
        let attributes = attributes()
        do {
            let item = try store.set(keys[key], value, attributes, at: clock.now)
            model[key] = ModelItem(value: value, attributes: attributes)
            agree(item, ModelItem(value: value, attributes: attributes), key)
            if store.wasFetched(item) { fail("a new value counts as read", key) }
        } catch {
            refused += 1
            refuse(error, value.count)
        }
    }

    mutating func extend(_ key: Int) {
        guard let item = look(key), let known = model[key] else { return }
        let addition = value()
        var attributes = known.attributes
        attributes.version = version()
        let atFront = pick(2) == 0
        let name = keys[key]
        let all = atFront ? addition + known.value : known.value + addition
        do {
            let fresh = try store.extend(
                item, name.span.bytes, hash: KeyHash(of: name.span.bytes),
                with: addition.span.bytes, atFront: atFront, attributes: attributes, at: clock.now)
            model[key] = ModelItem(value: all, attributes: attributes)
            agree(fresh, ModelItem(value: all, attributes: attributes), key)
        } catch {
            refused += 1
            refuse(error, all.count)
            agree(item, known, key)
        }
    }

    mutating func touch(_ key: Int) {
        guard let item = look(key), let known = model[key] else { return }
        let attributes = attributes()
        let fetched = store.wasFetched(item)
        let name = keys[key]
        let access = store.secondsSinceAccess(item, at: clock.now)
        do {
            let fresh = try store.setAttributes(
                item, name.span.bytes, hash: KeyHash(of: name.span.bytes), to: attributes,
                at: clock.now)
            model[key]?.attributes = attributes
            agree(fresh, ModelItem(value: known.value, attributes: attributes), key)
            if store.wasFetched(fresh) != fetched {
                fail("touching changed whether it was read", key)
            }
            if store.secondsSinceAccess(fresh, at: clock.now) != access {
                fail("touching changed the last access", key)
            }
        } catch {
            refused += 1
            refuse(error, known.value.count)
            agree(item, known, key)
        }
    }

    mutating func remove(_ key: Int) {
        guard let item = look(key) else { return }
        store.remove(item)
        model[key] = nil
        if store.item(keys[key], at: clock.now) != nil { fail("a removed item is found", key) }
    }

    mutating func maintain() {
        _ = store.maintain(at: clock.now)
    }

    mutating func pin(_ key: Int) {
        guard pins.count < 6, let item = look(key), let known = model[key] else { return }
        guard known.value.count >= Store.pinnableBytes else { return }
        pins.append(ModelPin(pinned: store.pin(item), bytes: known.value))
    }

    mutating func unpin() {
        guard !pins.isEmpty else { return }
        let pin = pins.remove(at: pick(pins.count))
        checkPin(pin)
        store.unpin(pin.pinned.token)
    }

    func checkPin(_ pin: ModelPin) {
        let same = pin.bytes.withUnsafeBytes { sameBytes($0, pin.pinned.bytes) }
        if !same { fail("pinned bytes changed", -1) }
    }

    mutating func upload(_ key: Int) {
        guard uploads.count < 4 else { return }
        let name = keys[key]
        let value = value()
        let attributes = attributes()
        do {
            let reservation = try store.reserve(
                name.span.bytes, valueCount: value.count, attributes: attributes,
                at: clock.now)
            value.withUnsafeBytes { reservation.destination.copyMemory(from: $0) }
            uploads.append(
                ModelUpload(
                    reservation: reservation, key: key, value: value, attributes: attributes))
        } catch {
            refused += 1
            refuse(error, value.count)
        }
    }

    mutating func finishUpload() {
        guard !uploads.isEmpty else { return }
        var upload = uploads.remove(at: pick(uploads.count))
        guard pick(3) > 0 else {
            store.abort(upload.reservation)
            return
        }
        _ = look(upload.key)
        upload.attributes.version = version()
        let name = keys[upload.key]
        let item = store.commit(
            upload.reservation, name.span.bytes, hash: KeyHash(of: name.span.bytes),
            attributes: upload.attributes,
            at: clock.now)
        model[upload.key] = ModelItem(value: upload.value, attributes: upload.attributes)
        agree(item, ModelItem(value: upload.value, attributes: upload.attributes), upload.key)
    }

    // MARK: Checks

    mutating func checkAll(at location: SourceLocation = #_sourceLocation) {
        store.checkInvariants(pool: pool, at: location)
        for pin in pins { checkPin(pin) }
        for key in 0..<plan.keys { _ = look(key) }
        let scanned = store.scannedBytes(at: clock.now)
        check(scanned.items == model.count, "scan \(scanned) against \(model.count)", location)
        let statistics = store.statistics
        check(
            vanished <= Int(statistics.evictions),
            "\(vanished) vanished, \(statistics.evictions) evicted", location)
        check(
            statistics.liveBytes >= scanned.bytes, "live bytes \(statistics) scan \(scanned)",
            location)
    }

    mutating func run() {
        for operation in 1...plan.operations {
            step()
            if operation % plan.checkEvery == 0 { checkAll() }
        }
        while !pins.isEmpty { unpin() }
        while !uploads.isEmpty { finishUpload() }
        checkAll()
    }
}
