// What `lru_crawler` may set, and how many dumps run.
internal import Synchronization

/// The switches and counters of dumps.
///
/// There is no crawler thread: ended items come back by themselves.
final class CrawlerControl: Sendable {
    /// Dumps at once; each holds a piece of ``DataLoop/streamBytes``, twice where its client lags.
    static let dumpLimit = 8
    /// Microseconds that memcached's crawler sleeps between items, unless told otherwise.
    static let defaultSleepMicroseconds = 100
    /// memcached's limit of that.
    static let longestSleepMicroseconds = 1_000_000

    let isEnabled = Atomic<Bool>(true)
    let sleepMicroseconds = Atomic<Int>(defaultSleepMicroseconds)
    let itemsPerRun = Atomic<Int>(0)
    /// `stats sizes_enable`.
    let tracksSizes = Atomic<Bool>(false)
    let starts = Atomic<UInt64>(0)
    let itemsChecked = Atomic<UInt64>(0)
    fileprivate let running = Atomic<Int>(0)

    /// Dumps running now.
    var runningCount: Int { running.load(ordering: .relaxed) }

    func resetCounts() {
        starts.store(0, ordering: .relaxed)
        itemsChecked.store(0, ordering: .relaxed)
    }
}

/// The right to one dump, given back with the last reference.
final class DumpTicket: Sendable {
    private let control: CrawlerControl

    /// Takes a place; nil where all are taken.
    init?(_ control: CrawlerControl) {
        if control.running.wrappingAdd(1, ordering: .relaxed).newValue > CrawlerControl.dumpLimit {
            // Nothing is initialized yet: `deinit` does not run for what fails here.
            control.running.wrappingSubtract(1, ordering: .relaxed)
            return nil
        }
        self.control = control
        control.starts.wrappingAdd(1, ordering: .relaxed)
    }

    deinit {
        control.running.wrappingSubtract(1, ordering: .relaxed)
    }

    func noteChecked(_ count: Int) {
        control.itemsChecked.wrappingAdd(UInt64(count), ordering: .relaxed)
    }
}
