import Primitives
import Raft
import TestScripts
import Testing

/// One server, `n1`, that is told things in the words of a script.
///
/// ```
/// server voters n1 n2 n3 learners n4 term 2 vote n2 log 1 2 2      must come first
/// tick 300                               time passes, in steps of 10 ms
/// propose 7 x     change 8 add-learner n4     read 9     transfer n2     snapshot 4 abc
/// from n2 term 3: vote 4/2               asks for a vote; the log ends with entry 4 of term 2
/// from n2 term 3: append after 4/2 entries 5/3=x commit 4
/// from n2 term 3: chunk 9/3 members n1,n2,n3 bytes 6 at 0 abc
/// ```
/// Entries are `index/term` and what they bring: `=x` is a command, `=[n1,n2+n4]` members, nothing
/// a no-op. The log of the first line gives the terms of its commands from entry 2 on: entry 1 is
/// in the snapshot that every founder begins with. ``ScenarioWords`` has the other messages.
struct Scenario: Scripted {
    private var instance: RaftInstance?
    private var now: Int64 = 0
    private var lines: [String] = []
    private var words = ScenarioWords()

    init() {}

    mutating func takeEffects() -> [String] {
        defer { lines = [] }
        return lines
    }

    mutating func input(_ line: String) throws {
        let parts = line.split(separator: ":", maxSplits: 1)
        if parts.count == 2 {
            let head = parts[0].split(separator: " ").map(String.init)
            let body = try words.body(parts[1].split(separator: " ").map(String.init))
            let term = try ScenarioWords.number(head, after: "term")
            let sender = try ScenarioWords.id(ScenarioWords.word(head, after: "from"))
            return try step(.received(.init(term: term, body: body), from: sender))
        }
        let words = line.split(separator: " ").map(String.init)
        func number(_ position: Int) throws -> UInt64 {
            try #require(
                words.indices.contains(position) ? UInt64(words[position]) : nil, "\(line)")
        }
        switch words[0] {
        case "server": try start(words)
        case "tick":
            for _ in 0..<(try number(1) / 10) {
                now += 10
                try step(.tick)
            }
        case "propose":
            try step(.propose(.command(Array(words[2].utf8)), ticket: try number(1)))
        case "change":
            let change = try ScenarioWords.change(words[2], try ScenarioWords.id(words[3]))
            try step(.propose(.change(change), ticket: try number(1)))
        case "read": try step(.read(ticket: try number(1)))
        case "transfer":
            let target = try words.dropFirst().first.map { try ScenarioWords.id($0) }
            try step(.transferLeadership(to: target))
        case "snapshot":
            try step(.snapshotTaken(index: try number(1), data: Array(words[2].utf8)))
        default: throw ScenarioWords.Unreadable(line: line)
        }
    }

    private mutating func start(_ words: [String]) throws {
        var state = RaftInstance.PersistedState.founding(voters: [])
        var settings = RaftInstance.Settings()
        settings.chunkBytes = 4
        settings.keptEntries = 0
        var voters: [NodeID] = []
        var learners: [NodeID] = []
        var option = ""
        for word in words.dropFirst() {
            switch (option, word) {
            case (_, "voters"), (_, "learners"), (_, "term"), (_, "vote"), (_, "log"),
                (_, "snapshots-every"):
                option = word
            case (_, "leases"): settings.readsByLease = true
            case (_, "new"): state.snapshot = RaftInstance.Snapshot()
            case ("voters", _): voters.append(try ScenarioWords.id(word))
            case ("learners", _): learners.append(try ScenarioWords.id(word))
            case ("term", _): state.hardState.term = try ScenarioWords.number(word)
            case ("vote", _): state.hardState.vote = try ScenarioWords.id(word)
            case ("snapshots-every", _):
                settings.snapshotThresholdEntries = Int(try ScenarioWords.number(word))
            case ("log", _):
                let term = try ScenarioWords.number(word)
                let index = state.snapshot.index + 1 + UInt64(state.entries.count)
                let command = RaftInstance.Entry.Payload.command(Array("e\(index)".utf8))
                state.entries.append(.init(term: term, index: index, payload: command))
                state.hardState.term = max(state.hardState.term, term)
            default: throw ScenarioWords.Unreadable(line: words.joined(separator: " "))
            }
        }
        state.snapshot.configuration = .init(voters: voters, learners: learners)
        instance = try RaftInstance(
            id: NodeID(1), state: state, settings: settings, seed: 1,
            at: Instant(nanoseconds: 0))
    }

    private mutating func step(_ input: RaftInstance.Input) throws {
        var effects: [Effect] = []
        try #require(instance != nil, "the script does not begin with a server")
        instance?.step(input, at: Instant(nanoseconds: now * 1_000_000), effects: &effects)
        for effect in effects { lines.append("\(now) \(words.describe(effect))") }
    }
}
