// What happens next: the heart of the simulation, and the only order of events there is.

/// Actions ordered by time, and by when they were scheduled where times are equal.
///
/// The heap holds plain numbers; the actions lie beside it and are not moved while it is sorted.
struct EventQueue<Action> {
    private struct Entry {
        var time: Int64
        var sequence: UInt64
        var slot: Int

        func comes(before other: Entry) -> Bool {
            time != other.time ? time < other.time : sequence < other.sequence
        }
    }

    private var heap: [Entry] = []
    private var actions: [Action?] = []
    private var freeSlots: [Int] = []
    private var scheduled: UInt64 = 0

    /// Actions that wait for their time.
    var count: Int { heap.count }

    /// Adds `action` for `time`, in nanoseconds of true time.
    mutating func push(_ action: Action, at time: Int64) {
        let slot: Int
        if let free = freeSlots.popLast() {
            slot = free
            actions[slot] = action
        } else {
            slot = actions.count
            actions.append(action)
        }
        heap.append(Entry(time: time, sequence: scheduled, slot: slot))
        scheduled += 1
        siftUp(heap.count - 1)
    }

    /// Takes out the next action, or nil when nothing is left.
    mutating func pop() -> (time: Int64, action: Action)? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        if !heap.isEmpty {
            heap[0] = last
            siftDown(0)
        }
        guard let action = actions[first.slot] else {
            preconditionFailure("slot \(first.slot) of the event queue is empty")
        }
        actions[first.slot] = nil
        freeSlots.append(first.slot)
        return (first.time, action)
    }

    private mutating func siftUp(_ start: Int) {
        var index = start
        let entry = heap[index]
        while index > 0 {
            let parent = (index - 1) / 2
            guard entry.comes(before: heap[parent]) else { break }
            heap[index] = heap[parent]
            index = parent
        }
        heap[index] = entry
    }

    private mutating func siftDown(_ start: Int) {
        var index = start
        let entry = heap[index]
        while true {
            var child = 2 * index + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].comes(before: heap[child]) { child += 1 }
            guard heap[child].comes(before: entry) else { break }
            heap[index] = heap[child]
            index = child
        }
        heap[index] = entry
    }
}
