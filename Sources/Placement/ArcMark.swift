// How stretches of the key space are named so that a name outlives the table it was made for.

/// A point that bounds an arc, and the name of that arc.
///
/// On a ring an arc runs clockwise up to its mark, which belongs to it; under range placement it
/// begins with its mark, which belongs to it as well. So whatever holds at a mark holds in all of
/// its arc, and that is how tables with different marks are compared.
public enum ArcMark: Hashable, Sendable {
    /// Under `xxh3` and `ketama`: the last position of the arc.
    case position(UInt64)
    /// Under `range`: the first key of the arc; no bytes stand for the beginning of all keys.
    case boundary([UInt8])
}

extension ArcMark: Comparable {
    /// Clockwise order, or that of the bytes.
    public static func < (lhs: ArcMark, rhs: ArcMark) -> Bool {
        switch (lhs, rhs) {
        case (.position(let left), .position(let right)): left < right
        case (.boundary(let left), .boundary(let right)): left.lexicographicallyPrecedes(right)
        case (.position, .boundary): true
        case (.boundary, .position): false
        }
    }
}

extension ArcMark: CustomStringConvertible {
    /// The position in hexadecimal, or the key, as errors and logs show it.
    public var description: String {
        switch self {
        case .position(let position): "0x\(String(position, radix: 16))"
        case .boundary(let bytes): "\"\(String(decoding: bytes, as: UTF8.self))\""
        }
    }
}

/// Something that holds in one arc.
protocol Marked {
    /// Names the arc.
    var mark: ArcMark { get }
}

extension ArcMark: Marked {
    var mark: ArcMark { self }
}

extension Array where Element: Marked {
    /// The index of the element in whose arc `mark` lies; the elements are in order of their marks.
    ///
    /// - Precondition: there are elements; under `range` the first begins all keys.
    func index(covering mark: ArcMark) -> Int {
        let next = firstIndex(notBefore: mark)
        switch mark {
        case .position: return next < count ? next : 0
        case .boundary:
            let isHere = next < count && self[next].mark == mark
            return isHere ? next : Swift.max(0, next - 1)
        }
    }

    /// The index of the element that has exactly this mark.
    func index(of mark: ArcMark) -> Int? {
        let next = firstIndex(notBefore: mark)
        return next < count && self[next].mark == mark ? next : nil
    }

    private func firstIndex(notBefore mark: ArcMark) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle].mark < mark { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
