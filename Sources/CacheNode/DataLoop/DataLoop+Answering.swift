// Commands that the node answers itself: no key, no shard.
internal import CLinux
internal import DataPlane
internal import Glibc
internal import MemcacheProtocol
internal import Placement
internal import Primitives
internal import Synchronization

extension DataLoop {
    /// Executes a command without a key; its replies go to the connection of `window`.
    mutating func answer(_ command: Command, window: Int) {
        let connection = windows[window].connection
        noteExecuted(command.verb)
        switch command.verb {
        case .metaNoop: reply.bytes.append("MN\r\n")
        case .version:
            reply.bytes.append("VERSION ")
            reply.bytes.append(KilnVersion.memcached)
            reply.bytes.append("\r\n")
        case .verbosity: setVerbosity(command, window)
        case .flushAll: flushAll(command, window)
        case .quit: connection.pointee.phase = .closing
        case .shutdown: shutDown(command, connection)
        case .cacheMemlimit: setMemoryLimit(command, window)
        case .lru, .slabs, .extstore: acceptTuning(command, window)
        case .configGet: answerConfig(command, window)
        case .misbehave, .refreshCerts: answerError(command)
        case .lruCrawler: answerCrawler(command, window)
        case .watch: answerWatch(command, window)
        case .kiln: answerKiln(command, window)
        default: answerStatistics(command, window)
        }
    }

    private mutating func answerError(_ command: Command) {
        if !command.noreply { reply.bytes.append("ERROR\r\n") }
    }

    /// The words of a server command's arguments.
    func words(of command: Command, _ window: Int) -> [String] {
        let bytes = UnsafeRawBufferPointer(
            start: windows[window].base, count: windows[window].count)
        var list = WordList(command)
        var words: [String] = []
        while let range = list.next(in: bytes.bytes) {
            words.append(String(decoding: bytes[range], as: UTF8.self))
        }
        return words
    }

    private mutating func setVerbosity(_ command: Command, _ window: Int) {
        guard let level = words(of: command, window).first.flatMap({ Int($0) }) else {
            if !command.noreply { reply.bytes.append("ERROR\r\n") }
            return
        }
        shared.verbosity.store(min(max(level, 0), 3), ordering: .relaxed)
        if !command.noreply { reply.bytes.append("OK\r\n") }
    }

    private mutating func shutDown(_ command: Command, _ connection: ConnectionPointer) {
        guard shared.configuration.allowsShutdown else {
            reply.bytes.append("ERROR: shutdown not enabled\r\n")
            return
        }
        connection.pointee.phase = .closing
        kill(shared.processIdentifier, SIGTERM)
    }

    private mutating func setMemoryLimit(_ command: Command, _ window: Int) {
        guard let megabytes = words(of: command, window).first.flatMap({ Int($0) }) else {
            if !command.noreply { reply.bytes.append("ERROR\r\n") }
            return
        }
        if megabytes < 8 {
            if !command.noreply {
                reply.bytes.append("MEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m\r\n")
            }
        } else if megabytes > 1_000_000_000 {
            if !command.noreply {
                reply.bytes.append("MEMLIMIT_ADJUST_FAILED input value is megabytes not bytes\r\n")
            }
        } else if megabytes << 20 > shared.configuration.memoryLimitBytes * 4 {
            if !command.noreply {
                reply.bytes.append("MEMLIMIT_ADJUST_FAILED out of bounds or unable to adjust\r\n")
            }
        } else {
            shared.shards.pool.limitBytes = megabytes << 20
            if !command.noreply { reply.bytes.append("OK\r\n") }
        }
    }

    /// Tuning of memcached's slabs and LRU has nothing to tune here: it is accepted.
    private mutating func acceptTuning(_ command: Command, _ window: Int) {
        let words = words(of: command, window)
        // Words that a sub-command needs behind it; what is unknown needs none and is an error.
        let needed = ["mode": 1, "tune": 3, "temp_ttl": 1, "automove": 1, "reassign": 2]
        guard let first = words.first, words.count > needed[first] ?? 0 else {
            return answerError(command)
        }
        if !command.noreply { reply.bytes.append("OK\r\n") }
    }

    /// `config get cluster`: the nodes that clients may connect to, in ElastiCache's form.
    private mutating func answerConfig(_ command: Command, _ window: Int) {
        let asked = words(of: command, window).last ?? ""
        guard asked == "cluster" || asked == "AmazonElastiCache:cluster",
            let listener = shared.listeners.first, !listener.isUnix
        else { return answerError(command) }
        var epoch: UInt64 = 1
        var nodes = [NodeAddress(host: listener.name, port: listener.port)]
        if let table = peers?.table {
            // Under ketama clients place keys by this list: who owns none must not be in it.
            let members = table.topology.members.filter {
                table.topology.ring.kind != .ketama || $0.weight > 0
            }
            epoch = table.epoch
            nodes = members.map(\.client)
        }
        let list = nodes.map { "\($0.host)|\($0.host)|\($0.port)" }.joined(separator: " ")
        let body = "\(epoch)\n\(list)\n"
        reply.bytes.append(text: "CONFIG cluster 0 \(body.utf8.count)\r\n\(body)\r\nEND\r\n")
    }

    // MARK: flush_all

    private mutating func flushAll(_ command: Command, _ window: Int) {
        guard shared.configuration.flushAllEnabled else {
            if !command.noreply { reply.bytes.append("CLIENT_ERROR flush_all not allowed\r\n") }
            return
        }
        counters.add(.flushCommands, 1)
        let delay = command.exptime
        if delay > 0 {
            shared.scheduleFlush(after: delay, from: now)
        } else if peers != nil {
            return ask(.flush, windows[window].connection, isSilent: command.noreply)
        } else {
            shared.flush(at: now)
        }
        if !command.noreply { reply.bytes.append("OK\r\n") }
    }

    /// Flushes where a delayed flush is due.
    mutating func flushIfDue() {
        guard shared.takeDueFlush(at: now) else { return }
        guard let cluster = peers?.cluster else { return shared.flush(at: now) }
        cluster.post(.request(ControlRequest(.flush, loop: nil)))
    }

    // MARK: The control plane

    /// Leaves a question with the control thread; the connection waits for the answer.
    mutating func ask(
        _ question: ControlRequest.Question, _ connection: ConnectionPointer,
        isSilent: Bool = false
    ) {
        let request = ControlRequest(question, loop: number)
        guard peers?.cluster.post(.request(request)) == true else {
            if !isSilent { reply.bytes.append("SERVER_ERROR too many requests under way\r\n") }
            return
        }
        start(ControlStream(request: request, isSilent: isSilent), for: connection)
    }
}
