// What persons and programs ask a node about its cluster: answered here, where the cluster's state
// is, and sent by the loop that was asked.
internal import ControlPlane
internal import Glibc
internal import Placement
internal import Primitives
internal import Raft
internal import SWIM

extension ControlShell {
    func take(_ request: ControlRequest) {
        switch request.question {
        case .flush: ask(.flush, request)
        case .statistics: complete(request, statistics())
        case .verb(let words, let mayChange): take(words, mayChange: mayChange, request)
        }
    }

    private func take(_ words: [String], mayChange: Bool, _ request: ControlRequest) {
        let changes =
            ["leave", "forget"].contains(words[0]) || words.prefix(2) == ["ring", "split"]
        guard mayChange || !changes else {
            return refuse(request, "\(words[0]) changes the cluster: ask from this machine")
        }
        switch (words[0], words.count) {
        case ("members", 1): answer(request, members())
        case ("raft", 1): answer(request, raft())
        case ("events", 1): answer(request, history())
        case ("ring", 1): answer(request, ring())
        case ("ring", 3...) where words[1] == "locate":
            locate(Array(words.dropFirst(2)), request)
        case ("ring", 3) where words[1] == "split": split(words[2], request)
        case ("forget", 2): ask(.forget(name: words[1]), request)
        case ("leave", 1):
            var json = JSONLine()
            json.add("schema_version", JSONLine.schemaVersion)
            json.add("leaving", cluster.member.name)
            answer(request, json)
            kill(getpid(), SIGTERM)
        default:
            refuse(
                request,
                "members, raft, events, ring, ring locate KEY.., ring split KEY, forget NAME and"
                    + " leave are known")
        }
    }

    // MARK: Answers

    private func ask(_ request: Request, _ asker: ControlRequest) {
        let ticket = nextTicket
        nextTicket += 1
        requests[ticket] = asker
        step(.request(request, ticket: ticket))
    }

    func complete(_ ticket: UInt64, _ outcome: Answer) {
        guard let request = requests.removeValue(forKey: ticket) else { return }
        if case .flush = request.question { return complete(request, flushReply(outcome)) }
        switch outcome {
        case .done(let epoch), .incomplete(let epoch): changed(epoch, request)
        // Who is not in the table is forgotten all the same.
        case .unchanged: changed(instance.topology?.epoch ?? 0, request)
        case .unknown: complete(request, "SERVER_ERROR kiln: outcome unknown\r\n")
        case .refused(let reason): complete(request, "SERVER_ERROR kiln: \(text(reason))\r\n")
        }
    }

    private func changed(_ epoch: UInt64, _ request: ControlRequest) {
        var json = JSONLine()
        json.add("schema_version", JSONLine.schemaVersion)
        json.add("epoch", Int(clamping: epoch))
        answer(request, json)
    }

    private func flushReply(_ outcome: Answer) -> String {
        switch outcome {
        case .done: "OK\r\n"
        case .incomplete: "SERVER_ERROR flush incomplete\r\n"
        case .unknown, .unchanged: "SERVER_ERROR outcome unknown\r\n"
        case .refused(let reason): "SERVER_ERROR \(text(reason))\r\n"
        }
    }

    private func text(_ reason: Answer.Refusal) -> String {
        switch reason {
        case .noLeader: "no leader"
        case .busy: "too many requests under way"
        case .noSuchMember: "there is no member of that name"
        case .memberAlive: "that member is alive: let it leave"
        case .noCluster: "this node belongs to no cluster yet"
        }
    }

    private func answer(_ request: ControlRequest, _ json: JSONLine) {
        let text = json.closed
        complete(request, "VALUE kiln 0 \(text.utf8.count)\r\n\(text)\r\nEND\r\n")
    }

    private func refuse(_ request: ControlRequest, _ reason: String) {
        complete(request, "CLIENT_ERROR kiln: \(reason)\r\n")
    }

    private func complete(_ request: ControlRequest, _ text: String) {
        request.complete(text)
        guard let loop = request.loop else { return }
        shared.inboxes[loop].ring()
    }

    // MARK: Members

    private func members() -> JSONLine {
        var json = header()
        let others = instance.swim.members.map { ($0, $0.status) }
        let all = ([(instance.swim.myself, instance.swim.myself.status)] + others)
            .sorted { $0.0.metadata.name < $1.0.metadata.name }
        json.add("members", all.map { member($0.0, $0.1) })
        return json
    }

    private func header() -> JSONLine {
        var json = JSONLine()
        json.add("schema_version", JSONLine.schemaVersion)
        json.add("cluster", hexadecimal(instance.identity.cluster))
        json.add("epoch", Int(clamping: instance.topology?.epoch ?? 0))
        json.add("leader", optional: instance.raft.leader.map { name(of: $0) })
        return json
    }

    private func member(
        _ known: SWIMInstance.Member, _ status: SWIMInstance.Status
    ) -> JSONLine {
        let facts = known.metadata
        let place = instance.topology.flatMap { topology in
            topology.memberIndex(of: known.id).map { topology.members[$0] }
        }
        var json = JSONLine()
        json.add("name", facts.name)
        json.add("state", "\(status)")
        json.add("in_ring", place?.incarnation == known.life)
        json.add("client", facts.client.text)
        json.add("peer", facts.peer.text)
        json.add("http", facts.http.text)
        json.add("zone", facts.zone)
        json.add("weight", Int(facts.weight))
        json.add("voter", instance.raft.configuration.voters.contains(known.id))
        json.add("incarnation", Int(clamping: known.life))
        return json
    }

    // MARK: Raft

    private func raft() -> JSONLine {
        let raft = instance.raft
        var json = header()
        json.add("node", cluster.member.name)
        json.add("role", raft.role.kind.rawValue)
        json.add("term", Int(clamping: raft.term))
        json.add("commit_index", Int(clamping: raft.commitIndex))
        json.add("last_index", Int(clamping: raft.lastIndex))
        json.add("snapshot_index", Int(clamping: raft.snapshot.index))
        json.add("voters", raft.configuration.voters.map { name(of: $0) })
        json.add("learners", raft.configuration.learners.map { name(of: $0) })
        json.add("has_disk", instance.hasDisk)
        json.add(
            "followers",
            raft.followers.map { follower in
                var line = JSONLine()
                line.add("name", name(of: follower.id))
                line.add("voter", follower.isVoter)
                line.add("match_index", Int(clamping: follower.match))
                line.add(
                    "silent_ms",
                    Int(follower.lastContact.duration(to: now).wholeNanoseconds / 1_000_000))
                line.add("installing", follower.isInstalling)
                return line
            })
        return json
    }

    private func history() -> JSONLine {
        var json = JSONLine()
        json.add("schema_version", JSONLine.schemaVersion)
        json.add(
            "events",
            events.events.map { event in
                var line = JSONLine()
                line.add("time_unix_s", Int(event.unixSeconds))
                line.add("text", event.text)
                return line
            })
        return json
    }

    // MARK: The ring

    private func ring() -> JSONLine {
        var json = header()
        guard let topology = instance.topology,
            let table = try? RoutingTable(topology, for: instance.id)
        else { return json }
        json.add("placement", "\(topology.ring.kind)")
        json.add("virtual_nodes", topology.ring.virtualNodes)
        json.add("arcs", table.arcCount)
        json.add("overrides", topology.overrides.count)
        let shares = table.shares
        json.add(
            "members",
            topology.members.indices.map { index in
                let member = topology.members[index]
                var line = JSONLine()
                line.add("name", member.name)
                line.add("weight", member.weight)
                line.add("zone", member.zone)
                line.add("arcs", shares[index].arcs)
                line.add("share", shares[index].share)
                return line
            })
        return json
    }

    private func locate(_ words: [String], _ request: ControlRequest) {
        let keys = words.map { DataLoop.decodedKey($0) }
        guard !keys.contains(nil) else {
            return refuse(request, "ring locate: keys of 1 through 250 bytes, percent-encoded")
        }
        guard let topology = instance.topology,
            let table = try? RoutingTable(topology, for: instance.id)
        else { return complete(request, "SERVER_ERROR kiln: \(text(.noCluster))\r\n") }
        var json = JSONLine()
        json.add("schema_version", JSONLine.schemaVersion)
        json.add("epoch", Int(clamping: topology.epoch))
        json.add(
            "keys",
            keys.compactMap { $0 }.map { key in
                let hash = KeyHash(of: key.span.bytes)
                let route = table.route(key.span.bytes, hash)
                let position = table.position(of: key.span.bytes, hash)
                var line = JSONLine()
                line.add("key", shared.hotKeys.name(key))
                line.add("position", optional: position.map { String($0, radix: 16) })
                line.add("arc", Int(route.arc))
                line.add("owner", topology.members[Int(route.owner)].name)
                line.add("copies", [String]())
                return line
            })
        answer(request, json)
    }

    private func split(_ word: String, _ request: ControlRequest) {
        guard let key = DataLoop.decodedKey(word) else {
            return refuse(request, "ring split: a key of 1 through 250 bytes, percent-encoded")
        }
        guard let topology = instance.topology,
            let table = try? RoutingTable(topology, for: instance.id)
        else { return complete(request, "SERVER_ERROR kiln: \(text(.noCluster))\r\n") }
        if topology.ring.kind == .ketama {
            return refuse(
                request, "ring split: under ketama the ring is what clients compute; nothing is cut"
            )
        }
        let hash = KeyHash(of: key.span.bytes)
        let position = table.position(of: key.span.bytes, hash)
        ask(.split(position.map { .position($0) } ?? .boundary(key)), request)
    }

    // MARK: stats cluster

    private func statistics() -> String {
        let raft = instance.raft
        let left = instance.lease.end.nanoseconds - now.nanoseconds
        let live = instance.swim.members.count { $0.status == .alive } + 1
        let lines: [(String, String)] = [
            ("enabled", "1"), ("node", cluster.member.name),
            ("cluster_id", hexadecimal(instance.identity.cluster)),
            ("epoch", "\(instance.topology?.epoch ?? 0)"),
            ("installed_epoch", "\(instance.installedEpoch)"),
            ("settled_epoch", "\(instance.lease.settled)"),
            ("leader", raft.leader.map { name(of: $0) } ?? ""),
            ("term", "\(raft.term)"), ("role", raft.role.kind.rawValue),
            ("members", "\(instance.topology?.members.count ?? 0)"), ("alive", "\(live)"),
            ("voters", "\(raft.configuration.voters.count)"),
            ("serve_lease_ms", "\(max(0, left / 1_000_000))"),
            ("health_multiplier", "\(instance.swim.healthMultiplier)"),
        ]
        return lines.map { "STAT cluster_\($0.0) \($0.1)\r\n" }.joined() + "END\r\n"
    }
}
