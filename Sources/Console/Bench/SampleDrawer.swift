import Glibc
import Primitives

/// Random numbers for drawing samples again, the same ones for the same seed.
struct SampleDrawer {
    private var random: SeededGenerator

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
    }

    /// A number above 0 and below 1.
    private mutating func unit() -> Double {
        (Double(random.next() >> 12) + 0.5) * 0x1p-52
    }

    /// A whole number from 0 up to, not including, `bound`.
    mutating func index(below bound: Int) -> Int {
        Int(UInt64(bound).multipliedFullWidth(by: random.next()).high)
    }

    /// The median of as many draws, with replacement, as there are samples.
    mutating func median(of samples: [FigureSample]) -> Double {
        var values: [Double] = []
        for _ in samples { values.append(samples[index(below: samples.count)].drawn(&self)) }
        return Console.median(values)
    }

    /// A beta variate, from two gamma variates.
    mutating func beta(_ a: Double, _ b: Double) -> Double {
        let left = gamma(a)
        return left / (left + gamma(b))
    }

    /// A gamma variate for a shape of at least 1 (Marsaglia and Tsang, ACM TOMS 26(3), 2000).
    private mutating func gamma(_ shape: Double) -> Double {
        let d = max(shape, 1) - 1.0 / 3
        let c = 1 / (9 * d).squareRoot()
        while true {
            let x = normal()
            let cubeRoot = 1 + c * x
            guard cubeRoot > 0 else { continue }
            let v = cubeRoot * cubeRoot * cubeRoot
            if log(unit()) < 0.5 * x * x + d - d * v + d * log(v) { return d * v }
        }
    }

    /// A standard normal variate (Box and Muller, 1958).
    private mutating func normal() -> Double {
        (-2 * log(unit())).squareRoot() * cos(2 * .pi * unit())
    }
}
