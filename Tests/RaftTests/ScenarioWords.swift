import Primitives
import Raft
import Testing

/// Messages and effects as a script writes them.
///
/// ```
/// pre-vote 4/2       pre-vote-yes    pre-vote-no
/// vote 4/2           vote 4/2 transfer               vote-yes    vote-no
/// append after 4/2 entries 5/3=x 6/3 commit 4        accepted 6
/// rejected 4 conflict 3/1 last 9
/// heartbeat 7 commit 4                               heartbeat-answer 7 agreed 4
/// chunk 9/3 members n1,n2,n3 bytes 6 at 0 abc        chunk-answer 9 at 0 has 4
/// timeout-now
/// proposal 77/1 x    proposal 77/1 remove n4         proposal-answer 77/1 appended 5/3
/// proposal-answer 77/1 busy                          proposal-answer 77/1 unknown
/// read-request 77/1  read-answer 77/1 5              read-answer 77/1 no
/// ```
/// Requests are named `session/number`; `me` is the session that `n1` drew.
struct ScenarioWords {
    /// A line that is not in the language.
    struct Unreadable: Error {
        var line: String
    }

    private var session: UInt64?

    static func id(_ word: String) throws -> NodeID {
        NodeID(try #require(UInt64(word.dropFirst()), "\(word) is no server"))
    }

    static func number(_ word: String) throws -> UInt64 {
        try #require(UInt64(word), "\(word) is no number")
    }

    static func word(_ words: [String], after name: String) throws -> String {
        let position = try #require(words.firstIndex(of: name), "\(words) has no \(name)")
        return try #require(words.indices.contains(position + 1) ? words[position + 1] : nil)
    }

    static func number(_ words: [String], after name: String) throws -> UInt64 {
        try number(word(words, after: name))
    }

    static func change(_ kind: String, _ node: NodeID) throws -> RaftInstance.MembershipChange {
        switch kind {
        case "add-learner": .addLearner(node)
        case "promote": .promote(node)
        case "demote": .demote(node)
        case "remove": .remove(node)
        default: throw Unreadable(line: kind)
        }
    }

    /// `5/3`: an index and a term.
    private static func place(_ word: String) throws -> (index: UInt64, term: UInt64) {
        let numbers = word.split(separator: "/").compactMap { UInt64($0) }
        try #require(numbers.count == 2, "\(word) is no index/term")
        return (numbers[0], numbers[1])
    }

    /// `n1,n2+n4`: voters and learners.
    private static func members(_ word: String) throws -> RaftInstance.Configuration {
        let halves = word.split(separator: "+", omittingEmptySubsequences: false).map { half in
            half.split(separator: ",").map(String.init)
        }
        return .init(
            voters: try halves[0].map { try id($0) },
            learners: try halves.dropFirst().joined().map { try id($0) })
    }

    private static func entry(_ word: String) throws -> Entry {
        let parts = word.split(separator: "=", maxSplits: 1)
        let (index, term) = try place(String(parts[0]))
        guard parts.count == 2 else {
            return .init(term: term, index: index, payload: .noOperation)
        }
        let payload: Entry.Payload =
            parts[1].hasPrefix("[")
            ? .configuration(try members(String(parts[1].dropFirst().dropLast())))
            : .command(Array(parts[1].utf8))
        return .init(term: term, index: index, payload: payload)
    }

    private func request(_ word: String) throws -> RaftInstance.RequestID {
        let parts = word.split(separator: "/").map(String.init)
        let session = parts[0] == "me" ? session : UInt64(parts[0])
        return .init(
            session: try #require(session, "\(word): nothing was asked yet"),
            sequence: try Self.number(parts[1]))
    }

    /// What a message says.
    func body(_ words: [String]) throws -> Message.Body {
        switch words[0] {
        case "pre-vote-yes": return .preVoteResponse(granted: true)
        case "pre-vote-no": return .preVoteResponse(granted: false)
        case "vote-yes": return .voteResponse(granted: true)
        case "vote-no": return .voteResponse(granted: false)
        case "timeout-now": return .timeoutNow
        case "pre-vote", "vote":
            let (index, term) = try Self.place(words[1])
            let request = RaftInstance.VoteRequest(
                lastIndex: index, lastTerm: term, isTransfer: words.contains("transfer"))
            return words[0] == "vote" ? .voteRequest(request) : .preVoteRequest(request)
        case "append": return .append(try append(words))
        case "accepted": return .appendResponse(.accepted(match: try Self.number(words[1])))
        case "rejected":
            let (index, term) = try Self.place(Self.word(words, after: "conflict"))
            return .appendResponse(
                .rejected(
                    previous: try Self.number(words[1]), conflictTerm: term, conflictIndex: index,
                    lastIndex: try Self.number(words, after: "last")))
        case "heartbeat":
            return .heartbeat(
                commitIndex: try Self.number(words, after: "commit"),
                round: try Self.number(words[1]))
        case "heartbeat-answer":
            return .heartbeatResponse(
                round: try Self.number(words[1]),
                agreedIndex: try Self.number(words, after: "agreed"))
        case "chunk": return .snapshotChunk(try chunk(words))
        case "chunk-answer":
            return .snapshotResponse(
                index: try Self.number(words[1]),
                chunkOffset: Int(try Self.number(words, after: "at")),
                received: Int(try Self.number(words, after: "has")))
        default: return try requestBody(words)
        }
    }

    private func append(_ words: [String]) throws -> RaftInstance.Append {
        let previous = try Self.place(Self.word(words, after: "after"))
        let names = words.drop { $0 != "entries" }.dropFirst().prefix { $0 != "commit" }
        return .init(
            previousIndex: previous.index, previousTerm: previous.term,
            entries: try names.map { try Self.entry($0) },
            commitIndex: try Self.number(words, after: "commit"))
    }

    private func chunk(_ words: [String]) throws -> RaftInstance.SnapshotChunk {
        let (index, term) = try Self.place(words[1])
        return .init(
            index: index, term: term,
            configuration: try Self.members(Self.word(words, after: "members")),
            totalBytes: Int(try Self.number(words, after: "bytes")),
            offset: Int(try Self.number(words, after: "at")), data: Array(words[8].utf8))
    }

    private func requestBody(_ words: [String]) throws -> Message.Body {
        let request = try request(words[1])
        switch words[0] {
        case "read-request": return .readRequest(request)
        case "read-answer": return .readResponse(request, index: UInt64(words[2]))
        case "proposal" where words.count == 3:
            return .proposal(request, .command(Array(words[2].utf8)))
        case "proposal":
            return .proposal(request, .change(try Self.change(words[2], try Self.id(words[3]))))
        case "proposal-answer" where words[2] == "appended":
            let (index, term) = try Self.place(words[3])
            return .proposalResponse(request, .appended(term: term, index: index))
        case "proposal-answer" where words[2] == "unknown":
            return .proposalResponse(request, .unknown)
        case "proposal-answer":
            let reason = RaftInstance.Rejection.allCases.first { "\($0)" == words[2] }
            return .proposalResponse(request, .rejected(try #require(reason, "\(words)")))
        default: throw Unreadable(line: words.joined(separator: " "))
        }
    }
}

// What the server did.
extension ScenarioWords {
    mutating func describe(_ effect: Effect) -> String {
        switch effect {
        case .persist(let persistence): "persist \(describe(persistence))"
        case .send(let message, let node): "to \(node) \(describe(message))"
        case .sendAtOnce(let message, let node): "at once to \(node) \(describe(message))"
        case .apply(let entries): "apply \(describe(entries))"
        case .restore(let snapshot): "restore \(describe(snapshot))"
        case .takeSnapshot: "take a snapshot"
        case .proposalAnswered(let ticket, let outcome): "answer \(ticket) \(describe(outcome))"
        case .readReady(let ticket, let index): "read \(ticket) at \(index)"
        case .readFailed(let ticket, let reason): "read \(ticket) fails: \(reason)"
        case .statusChanged(let status):
            "\(status.role) in term \(status.term)"
                + (status.leader.map { ", leader \($0)" } ?? "")
        }
    }

    private func describe(_ persistence: RaftInstance.Persistence) -> String {
        var parts: [String] = []
        if let state = persistence.hardState {
            parts.append("term \(state.term) vote \(state.vote.map(\.description) ?? "-")")
        }
        if let snapshot = persistence.snapshot {
            parts.append("snapshot \(describe(snapshot))")
            if persistence.resetsLog { parts.append("instead of the log") }
        }
        if !persistence.entries.isEmpty { parts.append(describe(persistence.entries)) }
        return parts.joined(separator: ", ")
    }

    private mutating func describe(_ message: Message) -> String {
        "term \(message.term): \(describe(message.body))"
    }

    private mutating func describe(_ body: Message.Body) -> String {
        switch body {
        case .preVoteRequest(let request): "pre-vote \(request.lastIndex)/\(request.lastTerm)"
        case .preVoteResponse(let granted): granted ? "pre-vote-yes" : "pre-vote-no"
        case .voteRequest(let request):
            "vote \(request.lastIndex)/\(request.lastTerm)"
                + (request.isTransfer ? " transfer" : "")
        case .voteResponse(let granted): granted ? "vote-yes" : "vote-no"
        case .append(let append):
            "append after \(append.previousIndex)/\(append.previousTerm)"
                + (append.entries.isEmpty ? "" : " entries \(describe(append.entries))")
                + " commit \(append.commitIndex)"
        case .appendResponse(.accepted(let match)): "accepted \(match)"
        case .appendResponse(.rejected(let previous, let term, let index, let last)):
            "rejected \(previous) conflict \(index)/\(term) last \(last)"
        case .heartbeat(let commit, let round): "heartbeat \(round) commit \(commit)"
        case .heartbeatResponse(let round, let agreed):
            "heartbeat-answer \(round) agreed \(agreed)"
        case .snapshotChunk(let chunk):
            "chunk \(chunk.index)/\(chunk.term) members \(describe(chunk.configuration)) bytes"
                + " \(chunk.totalBytes) at \(chunk.offset)"
                + (chunk.data.isEmpty ? "" : " \(text(chunk.data))")
        case .snapshotResponse(let index, let offset, let received):
            "chunk-answer \(index) at \(offset) has \(received)"
        case .timeoutNow: "timeout-now"
        case .proposal(let request, let proposal):
            "proposal \(own(request)) \(describe(proposal))"
        case .proposalResponse(let request, let outcome):
            "proposal-answer \(name(request)) \(describe(outcome))"
        case .readRequest(let request): "read-request \(own(request))"
        case .readResponse(let request, let index):
            "read-answer \(name(request)) \(index.map(\.description) ?? "no")"
        }
    }

    private func describe(_ entries: [Entry]) -> String {
        entries.map { entry in
            switch entry.payload {
            case .noOperation: "\(entry.index)/\(entry.term)"
            case .command(let bytes): "\(entry.index)/\(entry.term)=\(text(bytes))"
            case .configuration(let members):
                "\(entry.index)/\(entry.term)=[\(describe(members))]"
            }
        }.joined(separator: " ")
    }

    private func describe(_ snapshot: RaftInstance.Snapshot) -> String {
        "\(snapshot.index)/\(snapshot.term) \(text(snapshot.data))"
            + " members \(describe(snapshot.configuration))"
    }

    private func describe(_ members: RaftInstance.Configuration) -> String {
        let voters = members.voters.map(\.description).joined(separator: ",")
        let learners = members.learners.map(\.description).joined(separator: ",")
        return learners.isEmpty ? voters : "\(voters)+\(learners)"
    }

    private func describe(_ proposal: RaftInstance.Proposal) -> String {
        switch proposal {
        case .command(let bytes): text(bytes)
        case .change(.addLearner(let node)): "add-learner \(node)"
        case .change(.promote(let node)): "promote \(node)"
        case .change(.demote(let node)): "demote \(node)"
        case .change(.remove(let node)): "remove \(node)"
        }
    }

    private func describe(_ outcome: RaftInstance.ProposalOutcome) -> String {
        switch outcome {
        case .appended(let term, let index): "appended \(index)/\(term)"
        case .rejected(let reason): "\(reason)"
        case .unknown: "unknown"
        }
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// The first request that `n1` makes tells the session it drew.
    private mutating func own(_ request: RaftInstance.RequestID) -> String {
        session = request.session
        return "me/\(request.sequence)"
    }

    private func name(_ request: RaftInstance.RequestID) -> String {
        "\(request.session)/\(request.sequence)"
    }
}
