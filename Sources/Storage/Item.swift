// Handles to what lies in a store: cheap to pass, valid only for a while.
internal import Primitives

/// A live item of a ``Store``.
///
/// It is a pair of addresses, valid until the next call that may move or free items: ``Store/put``,
/// ``Store/extend``, ``Store/setAttributes``, ``Store/remove(_:)``, ``Store/commit`` and
/// ``Store/maintain(at:)``.
public struct Item {
    let layout: ItemLayout
    /// The index word that points to it.
    let word: UnsafeMutablePointer<UInt64>
}

/// Keeps a segment's bytes where they are; given back with ``Store/unpin(_:)``.
public struct PinToken: Equatable, Sendable {
    let slot: UInt32
}

/// A value that is sent from where it lies.
public struct PinnedValue {
    /// The value's bytes, unchanged until ``Store/unpin(_:)``.
    public let bytes: UnsafeRawBufferPointer
    /// What to give back.
    public let token: PinToken
}

/// Space for a value that is still arriving.
public struct Reservation {
    /// Where the value's bytes go.
    public let destination: UnsafeMutableRawBufferPointer
    let layout: ItemLayout
    let shape: ItemShape
    let slot: UInt32
}

/// Why an item can't be stored.
public enum StoreError: Error, Equatable, Sendable {
    /// Key, value and header together exceed the item size limit (`-I`).
    case tooLarge(bytes: Int, limit: Int)
    /// No memory is left and nothing may be, or can be, evicted.
    case outOfMemory
}
