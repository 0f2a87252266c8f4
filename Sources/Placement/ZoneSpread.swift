// Copies of one thing should not fail together.

/// Orders candidates so that any number of them from the front lies in as many zones as possible.
enum ZoneSpread {
    /// `candidates` with the first of every zone before the second of any, otherwise as they were.
    ///
    /// - Parameters:
    ///   - candidates: Indices into `members`, the most wanted first.
    ///   - members: Who they are.
    ///   - taken: Members that hold a copy already: their zones count as used once for each.
    /// - Returns: All candidates.
    static func order(_ candidates: [Int], of members: [Member], taken: [Int] = []) -> [Int] {
        var uses: [String: Int] = [:]
        for index in taken { uses[members[index].zone, default: 0] += 1 }
        var ranked: [(use: Int, place: Int)] = []
        ranked.reserveCapacity(candidates.count)
        for (place, index) in candidates.enumerated() {
            let use = uses[members[index].zone, default: 0]
            uses[members[index].zone] = use + 1
            ranked.append((use, place))
        }
        ranked.sort { ($0.use, $0.place) < ($1.use, $1.place) }
        return ranked.map { candidates[$0.place] }
    }
}
