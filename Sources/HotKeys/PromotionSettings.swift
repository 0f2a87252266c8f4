/// When a key counts as hot: the thresholds of ``PromotionPolicy``, each with its unit.
public struct PromotionSettings: Equatable, Sendable {
    /// Nodes that serve the cluster's keys.
    ///
    /// Heat is a key's share times this: 1 is what a whole node would have to give.
    public var nodes = 1
    /// From this heat on a key is hot.
    public var promoteHeat = 0.05
    /// And from this many operations a second, or ``promoteBytesPerSecond``: in an idle cluster
    /// every key has a large share.
    public var promoteOperationsPerSecond = 200.0
    /// Bytes of values a second.
    public var promoteBytesPerSecond = 2_000_000.0
    /// From this heat on one sub-window is enough.
    public var urgentHeat = 0.5
    /// Below this share of the promotion thresholds a hot key cools.
    public var demoteShare = 0.4
    /// How long it has to be cool, in nanoseconds.
    public var coolNanoseconds: Int64 = 10_000_000_000
    /// How long a promoted key stays at least, in nanoseconds.
    public var residencyNanoseconds: Int64 = 10_000_000_000
    /// Promoted again within this time after its demotion, a key flaps: its residency doubles.
    public var flapNanoseconds: Int64 = 60_000_000_000
    /// Residency does not double beyond this, in nanoseconds.
    public var longestResidencyNanoseconds: Int64 = 160_000_000_000
    /// Above this share of writes copies cost more than they save.
    public var writeShareLimit = 0.05
    /// Keys the policy follows at once: those beyond are the coldest ones.
    public var trackedKeys = 512

    /// The defaults.
    public init() {}
}
