// `lru_crawler` and `watch`.
internal import DataPlane
internal import MemcacheProtocol
internal import Primitives
internal import Synchronization

extension DataLoop {
    // MARK: lru_crawler

    mutating func answerCrawler(_ command: Command, _ window: Int) {
        let words = words(of: command, window)
        let crawler = shared.crawler
        switch (words.first, words.count) {
        case ("metadump", 2):
            answerDump(.metadump, words[1], window, notAllowed: ReplyText.metadumpNotAllowed)
        case ("mgdump", 2):
            answerDump(.mgdump, words[1], window, notAllowed: "ERROR key dump not allowed\r\n")
        case ("crawl", 2): crawl(words[1])
        case ("tocrawl", 2):
            guard let count = UInt32(words[1]) else {
                return reply.bytes.append(ReplyText.badFormat)
            }
            crawler.itemsPerRun.store(Int(count), ordering: .relaxed)
            reply.bytes.append(ReplyText.ok)
        case ("sleep", 2): setCrawlerSleep(words[1])
        case ("enable", 1):
            let wasEnabled = crawler.isEnabled.exchange(true, ordering: .relaxed)
            reply.bytes.append(
                wasEnabled ? "ERROR failed to start lru crawler thread\r\n" : ReplyText.ok)
        case ("disable", 1):
            crawler.isEnabled.store(false, ordering: .relaxed)
            reply.bytes.append(ReplyText.ok)
        default: reply.bytes.append(ReplyText.error)
        }
    }

    private mutating func setCrawlerSleep(_ word: String) {
        guard let sleep = UInt32(word) else { return reply.bytes.append(ReplyText.badFormat) }
        guard sleep <= CrawlerControl.longestSleepMicroseconds else {
            return reply.bytes.append(ReplyText.crawlerSleepTooLong)
        }
        shared.crawler.sleepMicroseconds.store(Int(sleep), ordering: .relaxed)
        reply.bytes.append(ReplyText.ok)
    }

    /// Ended items come back without a crawl: there is nothing to start.
    private mutating func crawl(_ classes: String) {
        guard shared.crawler.isEnabled.load(ordering: .relaxed) else {
            return reply.bytes.append(Self.crawlerDisabled)
        }
        guard Self.includesItems(classes) != nil else {
            return reply.bytes.append(ReplyText.badClass)
        }
        shared.crawler.starts.wrappingAdd(1, ordering: .relaxed)
        reply.bytes.append(ReplyText.ok)
    }

    private static let crawlerDisabled: StaticString = "CLIENT_ERROR lru crawler disabled\r\n"

    private mutating func answerDump(
        _ listing: ItemListing, _ classes: String, _ window: Int, notAllowed: StaticString
    ) {
        guard shared.crawler.isEnabled.load(ordering: .relaxed) else {
            return reply.bytes.append(Self.crawlerDisabled)
        }
        guard shared.configuration.dumpEnabled else { return reply.bytes.append(notAllowed) }
        guard reply.count == 0 else {
            return reply.bytes.append(
                listing == .mgdump
                    ? "ERROR cannot pipeline other commands before mgdump\r\n"
                    : ReplyText.metadumpPipelined)
        }
        guard let includesItems = Self.includesItems(classes) else {
            return reply.bytes.append(ReplyText.badClass)
        }
        guard let ticket = DumpTicket(shared.crawler) else {
            return reply.bytes.append(ReplyText.crawlerBusy)
        }
        let stream = DumpStream(listing, ticket, limit: includesItems ? .max : 0)
        start(stream, for: windows[window].connection)
    }

    /// Whether a list of classes holds the one that all items are in; nil where it holds none of
    /// memcached's.
    private static func includesItems(_ classes: String) -> Bool? {
        if classes == "all" || classes == "hash" { return true }
        var includes = false
        for word in classes.split(separator: ",", omittingEmptySubsequences: false) {
            guard let number = Int(word), (1..<ItemClass.limit - 1).contains(number) else {
                return nil
            }
            includes = includes || number == ItemClass.only
        }
        return includes
    }

    // MARK: watch

    mutating func answerWatch(_ command: Command, _ window: Int) {
        guard shared.configuration.watchEnabled else {
            return reply.bytes.append(ReplyText.watchNotAllowed)
        }
        guard reply.count == 0 else { return reply.bytes.append(ReplyText.watchPipelined) }
        var interest: WatchInterest = []
        for word in words(of: command, window) {
            guard let kind = WatchInterest(word: word) else {
                return reply.bytes.append(ReplyText.error)
            }
            interest.insert(kind)
        }
        if interest.isEmpty { interest = .fetchers }
        guard let subscription = WatchSubscription(interest, loop: number, shared: shared) else {
            return reply.bytes.append(ReplyText.watcherTooMany)
        }
        reply.bytes.append(ReplyText.ok)
        start(WatchStream(subscription: subscription), for: windows[window].connection)
    }
}
