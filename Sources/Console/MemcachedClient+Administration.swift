extension MemcachedClient {
    /// What a verb's answer may hold at most: a list of a thousand keys stays far below.
    private static let answerLimitBytes = 16 << 20

    /// The JSON that the node answers to `kiln <words>`; the words are the verb and its arguments,
    /// none of them empty or with spaces.
    public mutating func ask(_ words: [String]) throws(ConsoleError) -> [UInt8] {
        for word in words { try Self.checkWord(word) }
        try send(line: "kiln \(words.joined(separator: " "))")
        let line = try replyLine()
        let parts = line.split(separator: " ")
        guard parts.count == 4, parts[0] == "VALUE", parts[1] == "kiln", let count = Int(parts[3]),
            (0...Self.answerLimitBytes).contains(count)
        else { throw unexpected(line) }
        let answer = try readBlock(count)
        let end = try replyLine()
        guard end == "END" else { throw unexpected(end) }
        return answer
    }

    /// Throws unless `word` may stand in a request: anything else could smuggle in a second one.
    private static func checkWord(_ word: String) throws(ConsoleError) {
        let isClean = word.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F }
        guard isClean, (1...wordLimitBytes).contains(word.utf8.count) else {
            throw .malformedWord(word)
        }
    }

    /// A percent-encoded key is at most three times as long as the key.
    private static let wordLimitBytes = 3 * keyLimitBytes
}
