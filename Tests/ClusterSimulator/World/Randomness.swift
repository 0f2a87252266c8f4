// Draws from the one seed. Each part of the world has a stream of its own, so that switching one
// fault off does not change what the others draw.

import Primitives

extension SeededGenerator {
    /// The stream that belongs to `purpose` under `seed`.
    init(seed: UInt64, purpose: UInt64) {
        var mixer = SeededGenerator(seed: seed ^ (purpose &* 0xD6E8_FEB8_6659_FD93))
        self.init(seed: mixer.next())
    }

    /// A number from 0 up to, and without, `bound`.
    mutating func below(_ bound: Int) -> Int {
        precondition(bound > 0, "cannot draw below \(bound)")
        // The bias is at most bound / 2^64: no test here could see it.
        return Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// A number of the closed range.
    mutating func within(_ range: ClosedRange<Int64>) -> Int64 {
        range.lowerBound + Int64(below(Int(range.upperBound - range.lowerBound) + 1))
    }

    /// True in `permille` of 1,000 draws.
    mutating func chance(permille: Int) -> Bool {
        permille > 0 && below(1_000) < permille
    }

    /// One of `choices`, or nil when there are none.
    mutating func pick<Element>(_ choices: [Element]) -> Element? {
        choices.isEmpty ? nil : choices[below(choices.count)]
    }
}
