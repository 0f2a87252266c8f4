// The unit of ownership, written out: where it begins and where it ends.

/// A stretch of the key space between neighbouring marks.
public enum Arc: Hashable, Sendable {
    /// Positions after the first up to and with the second, clockwise; the whole ring where they
    /// are equal.
    case positions(after: UInt64, through: UInt64)
    /// Keys from the first on, up to the second without it; nil where no key ends it.
    case keys(from: [UInt8], to: [UInt8]?)

    /// The mark that names the arc.
    public var mark: ArcMark {
        switch self {
        case .positions(_, let last): .position(last)
        case .keys(let first, _): .boundary(first)
        }
    }

    /// The marks that bound it.
    var marks: [ArcMark] {
        switch self {
        case .positions(let before, let last): [.position(before), .position(last)]
        case .keys(let first, let end): [.boundary(first)] + (end.map { [.boundary($0)] } ?? [])
        }
    }

    /// Whether the arc that `mark` names begins or ends in this one.
    public func contains(_ mark: ArcMark) -> Bool {
        switch (self, mark) {
        case (.positions(let before, let last), .position(let position)):
            // Distances from the start, so that an arc over the end of the numbers is no exception.
            before == last || position &- before &- 1 <= last &- before &- 1
        case (.keys(let first, let end), .boundary(let key)):
            !key.lexicographicallyPrecedes(first)
                && end.map { key.lexicographicallyPrecedes($0) } ?? true
        default: false
        }
    }
}
