// Deadlines, and what happens when they were slept through.

public import Primitives

extension SWIMInstance {
    /// The next moment at which a tick would do something; never, once the instance is silent.
    ///
    /// A shell that ticks every 10 ms need not ask.
    public var nextDeadline: Instant {
        guard phase != .silent else { return .distantFuture }
        var next = min(probeAt, pushPullAt, housekeepingAt)
        if !news.isEmpty, liveCount > 0 { next = min(next, gossipAt) }
        if isJoining { next = min(next, joinAt) }
        next = min(next, reconnectAt, remindAt)
        for probe in probes { next = min(next, probe.nextDeadline) }
        for relay in relays { next = min(next, relay.nextDeadline) }
        if suspectCount > 0, !isFrozen, mayJudge {
            next = min(next, suspicionsDue ?? firstSuspicionDeadline)
        }
        if case .leaving(let until) = phase { next = min(next, until) }
        return next
    }

    /// Whether it asks seeds: it knows of no live member but itself.
    var isJoining: Bool { liveCount == 0 && !seeds.isEmpty && phase == .member }

    /// Whether it takes part in finding out who is there: not while it is on its way out, or hangs.
    var mayJudge: Bool { isServing && phase == .member }

    /// When a deadline was missed by much, this member slept (a stopped process, a busy machine, a
    /// suspended one): the time slept through counts for nobody.
    ///
    /// Answers that came meanwhile are still to be read. So everything moves on by the time slept
    /// through, and by a little more to read them. Lifeguard (section IV) infers slowness from
    /// missing answers; a missed deadline is the same news, earlier.
    mutating func forgiveOversleeping(at now: Instant) {
        let late = awakeBy.duration(to: now)
        guard late > settings.oversleepLimit else { return }
        health.note(.overslept)
        shift(by: late + settings.oversleepLimit)
    }

    private mutating func shift(by pause: Duration) {
        for index in probes.indices {
            probes[index].deadline = probes[index].deadline.advanced(by: pause)
            probes[index].indirectAt = probes[index].indirectAt?.advanced(by: pause)
        }
        for index in relays.indices {
            relays[index].deadline = relays[index].deadline.advanced(by: pause)
            relays[index].nackAt = relays[index].nackAt?.advanced(by: pause)
        }
        for index in members.indices { members[index].suspicion?.shift(by: pause) }
        suspicionsDue = nil
        probeAt = probeAt.advanced(by: pause)
        gossipAt = gossipAt.advanced(by: pause)
        pushPullAt = pushPullAt.advanced(by: pause)
        reconnectAt = reconnectAt.advanced(by: pause)
        strangersAt = strangersAt.advanced(by: pause)
        remindAt = remindAt.advanced(by: pause)
        joinAt = joinAt.advanced(by: pause)
        housekeepingAt = housekeepingAt.advanced(by: pause)
        if case .leaving(let until) = phase { phase = .leaving(until: until.advanced(by: pause)) }
    }

    /// A random part of `interval`, so that members do not act in step.
    mutating func randomPart(of interval: Duration) -> Duration {
        .nanoseconds(Int64.random(in: 0..<max(1, interval.wholeNanoseconds), using: &random))
    }
}

extension Instant {
    /// Later than any moment that comes.
    static var distantFuture: Instant { Instant(nanoseconds: .max) }
}

extension SWIMInstance.Settings {
    var period: Duration { .milliseconds(periodMilliseconds) }
    var timeout: Duration { .milliseconds(timeoutMilliseconds) }
    var nackDelay: Duration { timeout * nackPercent / 100 }
    var oversleepLimit: Duration { .milliseconds(oversleepMilliseconds) }
    var gossipInterval: Duration { .milliseconds(gossipMilliseconds) }
    var reconnectInterval: Duration { .milliseconds(reconnectMilliseconds) }

    /// How long a suspect has in a cluster of `size`, at least and at most.
    ///
    /// Beyond a hundred members an accusation and its refutation take more rounds of gossip, whose
    /// number grows with the logarithm of the size (DSN 2002, section 4.2).
    func suspicionTimes(size: Int) -> (minimum: Duration, maximum: Duration) {
        let scale = max(1, Logarithm.decimal(size) - 1)
        let perMille = Int(scale * 1_000)
        return (
            .milliseconds(suspicionMinimumMilliseconds * perMille / 1_000),
            .milliseconds(suspicionMaximumMilliseconds * perMille / 1_000)
        )
    }

    /// Seconds between push-pulls in a cluster of `size`.
    func pushPullInterval(size: Int) -> Duration {
        let doublings = Int(max(0, Logarithm.binary(max(1, size - 1)) - 5).rounded(.up))
        return .seconds(pushPullSeconds * (1 + doublings))
    }
}
