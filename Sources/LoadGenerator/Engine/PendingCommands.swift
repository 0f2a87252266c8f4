/// A command whose reply has not come yet.
struct PendingCommand {
    /// When it should have been sent, in nanoseconds.
    var intended: Int64
    /// When it was sent, in nanoseconds.
    var sent: Int64
    /// The split read it is a part of, or -1.
    var group: Int32
    /// Keys it asks for or writes.
    var keys: Int32
    /// What its reply looks like.
    var form: ReplyForm
    /// Which kind of operation it is.
    var operation: OperationKind
}

/// The commands of one connection in the order they were sent, which is the order of the replies.
///
/// A ring of fixed capacity: no allocation after `init`.
struct PendingCommands: ~Copyable {
    private let base: UnsafeMutablePointer<PendingCommand>
    private let mask: Int
    private var head = 0
    private var tail = 0

    /// A ring for at least `capacity` commands.
    init(capacity: Int) {
        var size = 1
        while size < capacity { size *= 2 }
        base = .allocate(capacity: size)
        mask = size - 1
    }

    deinit {
        base.deallocate()
    }

    /// How many replies are awaited.
    var count: Int { tail &- head }

    /// The command whose reply comes next.
    ///
    /// - Precondition: there is one.
    var first: PendingCommand {
        assert(count > 0, "no command is pending")
        return base[head & mask]
    }

    /// Adds a command that is about to be sent.
    mutating func append(_ command: PendingCommand) {
        precondition(count <= mask, "\(count) commands are pending already")
        (base + (tail & mask)).initialize(to: command)
        tail &+= 1
    }

    /// Drops the first command: its reply is complete.
    mutating func removeFirst() {
        assert(count > 0, "no command is pending")
        head &+= 1
    }
}
