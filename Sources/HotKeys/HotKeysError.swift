/// A setting of a sketch or detector that cannot be.
public enum HotKeysError: Error, Equatable, Sendable {
    /// The width of a sketch is not a power of two, or is above 2^30.
    case widthNotPowerOfTwo(Int)
    /// A sketch has fewer rows than 1 or more than 8.
    case depthOutOfRange(Int)
    /// A top list holds fewer keys than 1 or more than 4096.
    case capacityOutOfRange(Int)
}

extension HotKeysError: CustomStringConvertible {
    /// What is wrong, and what is allowed.
    public var description: String {
        switch self {
        case .widthNotPowerOfTwo(let width):
            "a sketch of width \(width): the width must be a power of two, at most 2^30"
        case .depthOutOfRange(let depth):
            "a sketch of \(depth) rows: 1 through 8 are possible"
        case .capacityOutOfRange(let capacity):
            "a top list of \(capacity) keys: 1 through 4096 are possible"
        }
    }
}
