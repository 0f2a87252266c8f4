// What is known of an item besides its key and value.
public import Primitives

/// The lease state of an item, set and cleared by the rules of the meta commands.
public struct ItemState: OptionSet, Hashable, Sendable {
    /// The bits; four are stored.
    public let rawValue: UInt8

    /// Wraps stored bits.
    @inlinable
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Invalidated but still served while somebody refreshes it (`md I`).
    @inlinable
    public static var stale: ItemState { ItemState(rawValue: 1) }
    /// A client has been told to fill or refresh it; the next ones are not.
    @inlinable
    public static var won: ItemState { ItemState(rawValue: 2) }
    /// Created by a miss (`mg N`): there is no value yet.
    @inlinable
    public static var stub: ItemState { ItemState(rawValue: 4) }
}

/// Everything a command may set on an item besides its value.
public struct ItemAttributes: Equatable, Sendable {
    /// Minted by the shard for every change.
    public var version: Version
    /// The client's 32 bits.
    public var flags: UInt32 = 0
    /// When it ends.
    public var expiry: Expiry = .never
    /// The number a client chose as CAS (`E`); 0 where it chose none.
    public var clientCAS: UInt64 = 0
    /// The fencing token of the last fenced write; 0 where there was none.
    public var fence: UInt64 = 0
    /// The lease state.
    public var state: ItemState = []

    /// Attributes of an item with no flags and no end.
    @inlinable
    public init(version: Version) {
        self.version = version
    }

    /// The CAS unique that clients see and compare.
    @inlinable
    public var cas: UInt64 { clientCAS != 0 ? clientCAS : version.value }
}
