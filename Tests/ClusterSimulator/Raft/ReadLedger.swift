// Linearizability of what clients saw, judged against the one order that the log gives.

/// The order of all client operations, and whether each answer fits real time.
///
/// Writes take effect in log order, so a history is linearizable (Herlihy and Wing, TOPLAS 1990)
/// exactly when no operation is placed before one that had been answered when it began: a read that
/// saw the state after entry `i` is placed there.
struct ReadLedger {
    /// The highest place of an answered operation.
    private(set) var answered: UInt64 = 0

    /// What an operation that begins now must not be placed before.
    func floor() -> UInt64 { answered }

    /// A write that began above `floor` was answered as entry `index`.
    mutating func wrote(_ index: UInt64, floor: UInt64) throws(Finding) {
        guard index > floor else {
            throw Finding("linearizable writes", "entry \(index) began after \(floor) was answered")
        }
        answered = max(answered, index)
    }

    /// A read that began above `floor` was answered from the state after entry `index`.
    mutating func read(_ index: UInt64, floor: UInt64, how: String) throws(Finding) {
        guard index >= floor else {
            throw Finding(
                "linearizable reads",
                "a \(how) saw entry \(index) after \(floor) had been answered")
        }
        answered = max(answered, index)
    }
}
