import Primitives
import SWIM
import TestScripts
import Testing

/// One member, `n1`, that is told things in the words of a script.
///
/// ```
/// tick 300                             time passes, in steps of 10 ms
/// sleep 5000                           time passes unseen
/// gossip from n2: n3 suspect 1 by n2, n4 alive 2 life 7
/// ack #1 from n3                       also nack, ping (of n1), and `ping n5` for another target
/// ping-request #7 n5 from n2           push-pull from n2: ...    push-pull-answer from n2: ...
/// name-taken from n1 at elsewhere      by a process of life 1, or `life 3`
/// join s1 s2     link n2     serving no     weight 3     load 5     leave
/// ```
/// A sequence number `#1` is the first one that `n1` drew itself; others are written `77`.
struct Scenario: Scripted {
    private var instance: SWIMInstance
    private var now: Int64 = 0
    private var lines: [String] = []
    private var sequences: [UInt64] = []

    init() throws {
        instance = try SWIMInstance(
            id: NodeID(1), life: 2, metadata: .init(name: "n1", peer: "n1"), seed: 1,
            at: Instant(nanoseconds: 0))
    }

    struct Unreadable: Error {
        var line: String
    }

    mutating func takeEffects() -> [String] {
        defer { lines = [] }
        return lines
    }

    mutating func input(_ line: String) throws {
        let parts = line.split(separator: ":", maxSplits: 1)
        let words = parts[0].split(separator: " ").map(String.init)
        let news = try parts.dropFirst().flatMap { try Self.news($0) }
        switch words[0] {
        case "tick":
            for _ in 0..<(try number(words, 1) / 10) {
                now += 10
                step(.tick)
            }
        case "sleep": now += Int64(try number(words, 1))
        case "join": step(.join(words.dropFirst().map { SWIMInstance.Address($0) }))
        case "link": step(.linkClosed(try Self.id(words[1])))
        case "serving": step(.serving(words[1] == "yes"))
        case "load": step(.loadChanged(UInt32(try number(words, 1))))
        case "leave": step(.leave)
        case "weight":
            var facts = instance.myself.metadata
            facts.weight = UInt32(try number(words, 1))
            step(.metadataChanged(facts))
        default: try message(words, news)
        }
    }

    private mutating func message(_ words: [String], _ news: [SWIMInstance.Update]) throws {
        guard let from = words.firstIndex(of: "from") else {
            throw Unreadable(line: words.joined(separator: " "))
        }
        let sender = words[from + 1]
        let address = value("at", in: words) ?? sender
        let life = try value("life", in: words).map { try #require(UInt64($0)) } ?? 1
        step(
            .received(
                .init(
                    sender: try Self.id(sender), life: life, body: try body(words),
                    updates: news), from: SWIMInstance.Address(address)))
    }

    private func body(_ words: [String]) throws -> SWIMInstance.Body {
        switch words[0] {
        case "gossip": return .gossip
        case "push-pull": return .pushPullRequest
        case "push-pull-answer": return .pushPullResponse
        case "name-taken": return .nameTaken
        case "ack": return .ack(sequence: try sequence(words[1]))
        case "nack": return .nack(sequence: try sequence(words[1]))
        case "ping":
            let target = words[2] == "from" ? NodeID(1) : try Self.id(words[2])
            return .ping(sequence: try sequence(words[1]), target: target)
        case "ping-request":
            return .pingRequest(
                sequence: try sequence(words[1]), target: try Self.id(words[2]),
                address: SWIMInstance.Address(words[2]))
        default: throw Unreadable(line: words.joined(separator: " "))
        }
    }

    private func value(_ name: String, in words: [String]) -> String? {
        words.firstIndex(of: name).map { words[$0 + 1] }
    }

    private func number(_ words: [String], _ index: Int) throws -> Int {
        try #require(Int(words[index]), "\(words)")
    }

    private func sequence(_ word: String) throws -> UInt64 {
        guard word.hasPrefix("#") else { return try #require(UInt64(word)) }
        let place = try #require(Int(word.dropFirst()))
        try #require(sequences.indices.contains(place - 1), "\(word) was not drawn yet")
        return sequences[place - 1]
    }

    private static func id(_ word: some StringProtocol) throws -> NodeID {
        NodeID(try #require(UInt64(word.dropFirst()), "\(word)"))
    }

    /// `n3 suspect 1 by n2 n4 life 7, n4 left 2`.
    private static func news(_ text: Substring) throws -> [SWIMInstance.Update] {
        try text.split(separator: ",").map { part in
            let words = part.split(separator: " ").map(String.init)
            let status = try #require(
                SWIMInstance.Status.allCases.first { "\($0)" == words[1] }, "\(part)")
            var update = SWIMInstance.Update(
                id: try id(words[0]), incarnation: try #require(UInt64(words[2])), life: 1,
                status: status, metadata: .init(name: words[0], peer: .init(words[0])))
            var option = ""
            for word in words.dropFirst(3) {
                switch (option, word) {
                case (_, "by"), (_, "life"), (_, "at"): option = word
                case ("by", _): update.accusers.append(try id(word))
                case ("life", _): update.life = try #require(UInt64(word))
                case ("at", _): update.metadata?.peer = .init(word)
                default: throw Unreadable(line: String(part))
                }
            }
            return update
        }
    }
}

// What it did, as a script writes it.
extension Scenario {
    private mutating func step(_ input: SWIMInstance.Input) {
        var effects: [SWIMInstance.Effect] = []
        let health = instance.healthMultiplier
        instance.step(input, at: Instant(nanoseconds: now * 1_000_000), effects: &effects)
        for effect in effects {
            let text = describe(effect)
            lines.append("\(now) \(text)")
        }
        if instance.healthMultiplier != health {
            lines.append("\(now) health \(health) -> \(instance.healthMultiplier)")
        }
    }

    private mutating func describe(_ effect: SWIMInstance.Effect) -> String {
        switch effect {
        case .send(let message, let address): "\(describe(message, to: address))"
        case .sendStream(let message, let address): "stream \(describe(message, to: address))"
        case .memberChanged(let member): "member \(Self.describe(member))"
        case .memberForgotten(let id): "forgotten \(id)"
        case .incarnationRaised(let incarnation): "incarnation \(incarnation)"
        case .removalsFrozen(let isFrozen): isFrozen ? "removals frozen" : "removals go on"
        case .nameTaken(let address): "name taken by \(address)"
        case .leaveFinished: "left"
        }
    }

    private mutating func describe(
        _ message: SWIMInstance.Message, to address: SWIMInstance.Address
    )
        -> String
    {
        var text =
            switch message.body {
            case .ping(let sequence, let target): "ping \(name(sequence)) \(target)"
            case .ack(let sequence): "ack \(name(sequence))"
            case .nack(let sequence): "nack \(name(sequence))"
            case .pingRequest(let sequence, let target, _):
                "ping-request \(name(sequence)) \(target)"
            case .gossip: "gossip"
            case .pushPullRequest: "push-pull"
            case .pushPullResponse: "push-pull-answer"
            case .nameTaken: "name-taken"
            }
        text += " to \(address)"
        if message.load > 0 { text += " load \(message.load)" }
        let news = message.updates.map(Self.describe)
        return news.isEmpty ? text : "\(text): " + news.joined(separator: ", ")
    }

    /// Numbers that n1 drew are beyond any that a script writes.
    private mutating func name(_ sequence: UInt64) -> String {
        guard sequence > 1_000_000 else { return String(sequence) }
        if !sequences.contains(sequence) { sequences.append(sequence) }
        return "#\(1 + (sequences.firstIndex(of: sequence) ?? 0))"
    }

    private static func describe(_ update: SWIMInstance.Update) -> String {
        var text = "\(update.id) \(update.status) \(update.incarnation)"
        if !update.accusers.isEmpty {
            text += " by " + update.accusers.map(\.description).joined(separator: " ")
        }
        if update.life != 1 { text += " life \(update.life)" }
        return text
    }

    private static func describe(_ member: SWIMInstance.Member) -> String {
        var text = "\(member.id) \(member.status) \(member.incarnation)"
        if !member.accusers.isEmpty {
            text += " by " + member.accusers.map(\.description).joined(separator: " ")
        }
        if member.life != 1 { text += " life \(member.life)" }
        if let trial = member.trialUntil {
            text += " on trial until \(trial.nanoseconds / 1_000_000)"
        }
        return text
    }
}
