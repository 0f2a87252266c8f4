import Primitives
import Testing

@testable import HotKeys

struct TopKeysTests {
    private static func sample(_ key: Int) -> KeySample {
        KeySample(hash: hash(key), isWrite: false, isHit: true, byteCount: 10, client: 1)
    }

    private static func admit(_ key: Int, _ count: Double, _ top: inout TopKeys) -> Bool {
        let name = Array("key:\(key)".utf8)
        return top.admit(sample(key), key: name.span.bytes, count: count, at: 0)
    }

    @Test("a list of no keys, or too many, is refused", arguments: [0, -1, 4097])
    func refusesCapacities(capacity: Int) {
        #expect(throws: HotKeysError.capacityOutOfRange(capacity)) {
            _ = try TopKeys(capacity: capacity)
        }
    }

    @Test("a full list takes a key only in the place of a lighter one")
    func replacesTheLightest() throws {
        var top = try TopKeys(capacity: 4)
        for key in 0..<4 {
            let isIn = Self.admit(key, Double(10 + key), &top)
            #expect(isIn)
        }
        let asHeavy = Self.admit(9, 10, &top)
        let heavier = Self.admit(9, 10.5, &top)
        #expect(!asHeavy && heavier)
        let (count, replaced, found) = (top.count, top.index(of: hash(0)), top.index(of: hash(9)))
        #expect(count == 4 && replaced == nil)
        let index = try #require(found)
        let (key, error) = (top.key(at: index), top.entries[index].counts.error)
        #expect(key == Array("key:9".utf8) && error == 9.5)
    }

    @Test("a key above 250 bytes is not listed, one of 250 is, byte for byte")
    func boundsKeys() throws {
        var top = try TopKeys(capacity: 2)
        let long = Array(repeating: UInt8(ascii: "k"), count: 251)
        let tooLong = top.admit(Self.sample(1), key: long.span.bytes, count: 5, at: 0)
        let longest = Array(long.dropFirst())
        let fits = top.admit(Self.sample(1), key: longest.span.bytes, count: 5, at: 0)
        let kept = top.key(at: 0)
        #expect(!tooLong && fits && kept == longest)
    }

    @Test("memory is taken once: 250 bytes a key, and the entries")
    func takesBoundedMemory() throws {
        let top = try TopKeys(capacity: 128)
        let count = top.byteCount
        #expect(count <= 128 * (250 + MemoryLayout<TopKeys.Entry>.stride) + 2048)
    }

    @Test("random admissions, ends and look-ups agree with a dictionary")
    func agreesWithAModel() throws {
        for seed in 0..<20 {
            var random = SeededGenerator(seed: UInt64(seed))
            var top = try TopKeys(capacity: 16)
            var model: [UInt64: Double] = [:]
            for _ in 0..<3000 {
                let key = Int(random.next() % 60)
                let hash = hash(key)
                let found = top.index(of: hash)
                #expect((found != nil) == (model[hash] != nil))
                if let index = found {
                    top.record(Self.sample(key), at: index)
                    model[hash, default: 0] += 1
                } else {
                    let count = Double(random.next() % 8 + 1)
                    let lightest = (0..<top.count).map { top.entries[$0].weight }.min() ?? 0
                    let isIn = Self.admit(key, count, &top)
                    #expect(isIn == (model.count < 16 || lightest < count))
                    if isIn { model[hash] = count }
                    let listed = Set((0..<top.count).map { top.entries[$0].hash })
                    model = model.filter { listed.contains($0.key) }
                }
                let count = top.count
                #expect(model.count == count)
                if random.next() % 200 == 0 {
                    top.endSubWindow()
                    let listed = Set((0..<top.count).map { top.entries[$0].hash })
                    model = model.filter { listed.contains($0.key) }
                }
            }
        }
    }

    @Test("an entry that sees nothing leaves after some sub-windows")
    func forgetsWhatCools() throws {
        var top = try TopKeys(capacity: 4)
        let isIn = Self.admit(1, 8, &top)
        #expect(isIn)
        var windows = 0
        while top.count > 0 && windows < 20 {
            top.endSubWindow()
            windows += 1
        }
        #expect((3...6).contains(windows), "\(windows)")
    }
}
