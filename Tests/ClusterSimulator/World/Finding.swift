// A property that an observer saw broken, before the run adds when it was.

/// What an observer reports.
struct Finding: Error, Equatable {
    var property: String
    var detail: String

    init(_ property: String, _ detail: String) {
        self.property = property
        self.detail = detail
    }
}
