import Placement

/// A part of a run with its own load, and its own numbers if they are wanted.
struct LoadPhase: Sendable {
    /// Its name in results.
    var name: String
    /// What is sent in it.
    ///
    /// Servers, clients, threads and the loop's kind are those of the plan.
    var settings: LoadSettings
    /// When it ends.
    ///
    /// Only the last phase may be limited by requests.
    var length: RunLength
    /// Whether its numbers are reported: not those of a warm-up.
    var isReported: Bool
}

/// What all threads of a run share: who is loaded with what, when.
struct LoadPlan: Sendable {
    let settings: LoadSettings
    let servers: [ServerEndpoint]
    /// By server: its processes on this machine, to read their processor time.
    let processes: [[Int32]]
    let ring: KetamaRing?
    let phases: [LoadPhase]

    /// Longest wait for outstanding answers after the last phase, in nanoseconds.
    static let drainNanoseconds: Int64 = 2_000_000_000

    /// A warm-up if one is asked for, and the measured part.
    init(load settings: LoadSettings) throws(LoadError) {
        try self.init(
            settings: settings,
            phases: [
                LoadPhase(name: "", settings: settings, length: settings.length, isReported: true)
            ])
    }

    /// `phases` one after the other, the settings' warm-up before them.
    init(settings: LoadSettings, phases: [LoadPhase]) throws(LoadError) {
        for phase in phases { try phase.settings.validate() }
        self.settings = settings
        servers = try ServerEndpoint.resolving(settings.servers)
        processes = Self.processes(settings, servers)
        ring = settings.routing == .ketama ? try settings.ketamaRing() : nil
        var all = phases
        if settings.warmupSeconds > 0, let first = phases.first {
            all.insert(
                LoadPhase(
                    name: "warm-up", settings: first.settings,
                    length: .seconds(settings.warmupSeconds), isReported: false), at: 0)
        }
        self.phases = all
    }

    /// The processes that were named, or else those that listen where the servers are.
    ///
    /// With fewer processes than servers the first servers are meant; one more than there are
    /// servers belongs to the last.
    private static func processes(
        _ settings: LoadSettings, _ servers: [ServerEndpoint]
    ) -> [[Int32]] {
        guard !settings.serverProcesses.isEmpty, !servers.isEmpty else {
            return servers.map { server in
                server.loopbackPort.map(LocalProcess.identifiers) ?? []
            }
        }
        var processes: [[Int32]] = Array(repeating: [], count: servers.count)
        for (index, process) in settings.serverProcesses.enumerated() {
            processes[min(index, servers.count - 1)].append(process)
        }
        return processes
    }

    /// Whether operations are due by a schedule.
    var isOpenLoop: Bool { settings.rate != nil }

    /// Connections that each client has.
    var connectionsPerClient: Int { settings.routing == .sticky ? 1 : servers.count }

    /// Clients of `thread`.
    func clientCount(thread: Int) -> Int {
        settings.clients / settings.threads
            + (thread < settings.clients % settings.threads ? 1 : 0)
    }

    /// Where a phase begins, in nanoseconds after the start; phases before it are timed.
    func offset(ofPhase index: Int) -> Int64 {
        phases[..<index].reduce(0) { sum, phase in
            guard case .seconds(let seconds) = phase.length else { return sum }
            return sum + Int64(seconds * 1e9)
        }
    }

    /// `thread`'s part of an operation count.
    func share(of count: UInt64, thread: Int) -> UInt64 {
        let threads = UInt64(settings.threads)
        return count / threads + (UInt64(thread) < count % threads ? 1 : 0)
    }
}
