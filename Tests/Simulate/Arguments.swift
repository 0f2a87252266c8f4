// The command line of kiln-simulate.

import ClusterSimulator

/// Why the command line was not understood.
struct UsageError: Error {
    var reason: String
}

/// What the command line asks for.
struct Arguments {
    static let usage = """
        usage: kiln-simulate --protocol raft|swim|cluster [options]
          --seeds A-B      the seeds to run (default 1-100); one number runs one seed
          --nodes N[,N..]  nodes of a cluster; several sizes take turns by seed (default 5)
          --seconds S      simulated seconds of disturbances per seed (default 60)
          --fault NAME     plant this bug, or all in turn: each must be found, and the seed that
                           finds it must pass without it; list prints the names
          --trace          print the journal of each seed that fails, or of a single seed
          --first          stop at the first seed that fails
          --twice          run each seed twice and compare the digests
          --jobs J         seeds that run at the same time (default 2)
          --measure        print the table of detection and election times instead
        """

    var simulated = SimulatedProtocol.raft
    var seeds: ClosedRange<UInt64> = 1...100
    var sizes = [5]
    var seconds = 60
    var fault: String?
    var isTraced = false
    var runsTwice = false
    var measures = false
    var stopsAtFirst = false
    var jobs = 2

    init(_ words: [String]) throws(UsageError) {
        var rest = words[...]
        while let word = rest.popFirst() {
            switch word {
            case "--trace": isTraced = true
            case "--first": stopsAtFirst = true
            case "--twice": runsTwice = true
            case "--measure": measures = true
            default:
                guard let value = rest.popFirst() else {
                    throw UsageError(reason: "\(word) is unknown or lacks its value")
                }
                try set(word, to: value)
            }
        }
    }

    private mutating func set(_ name: String, to value: String) throws(UsageError) {
        switch name {
        case "--protocol":
            guard let known = SimulatedProtocol(rawValue: value) else {
                throw UsageError(reason: "there is no protocol \(value)")
            }
            simulated = known
        case "--seeds":
            let bounds = value.split(separator: "-").compactMap { UInt64($0) }
            guard let first = bounds.first, let last = bounds.last, first <= last else {
                throw UsageError(reason: "--seeds takes A-B, not \(value)")
            }
            seeds = first...last
        case "--nodes":
            sizes = value.split(separator: ",").compactMap { Int($0) }
            guard !sizes.isEmpty, sizes.allSatisfy({ 1...1_000 ~= $0 }) else {
                throw UsageError(reason: "--nodes takes 1 to 1000, not \(value)")
            }
        case "--seconds": seconds = try Self.number(value, name)
        case "--jobs": jobs = try Self.number(value, name)
        case "--fault": fault = value
        default: throw UsageError(reason: "\(name) is unknown")
        }
    }

    private static func number(_ value: String, _ name: String) throws(UsageError) -> Int {
        guard let number = Int(value), 1...1_000_000 ~= number else {
            throw UsageError(reason: "\(name) takes a number from 1, not \(value)")
        }
        return number
    }

    /// What to run for `seed`.
    func options(_ seed: UInt64, bug: PlantedBug?, isTraced: Bool) -> SimulationOptions {
        SimulationOptions(
            seed: seed, nodes: sizes[Int(seed % UInt64(sizes.count))], seconds: seconds, bug: bug,
            isTraced: isTraced)
    }
}
