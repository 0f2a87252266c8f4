/// A JSON object written member by member, in one line.
struct JSONLine {
    /// The version of every answer; it rises when a member changes its name or meaning.
    static let schemaVersion = 1

    private(set) var text = "{"

    /// The finished object.
    var closed: String { text + "}" }

    mutating func add(_ name: String, _ value: String) {
        add(name, json: Self.quoted(value))
    }

    mutating func add(_ name: String, _ value: Int) {
        add(name, json: "\(value)")
    }

    /// A number with at most three decimals; null where it is not finite.
    mutating func add(_ name: String, _ value: Double) {
        add(name, json: Self.number(value))
    }

    /// A list of strings.
    mutating func add(_ name: String, _ values: [String]) {
        add(name, json: "[\(values.map(Self.quoted).joined(separator: ","))]")
    }

    /// A list of objects.
    mutating func add(_ name: String, _ values: [JSONLine]) {
        add(name, json: "[\(values.map(\.closed).joined(separator: ","))]")
    }

    mutating func add(_ name: String, _ value: Bool) {
        add(name, json: value ? "true" : "false")
    }

    /// Null, or a text.
    mutating func add(_ name: String, optional value: String?) {
        add(name, json: value.map(Self.quoted) ?? "null")
    }

    /// Null, or a number.
    mutating func add(_ name: String, optional value: Int?) {
        add(name, json: value.map { "\($0)" } ?? "null")
    }

    /// Null, or a number with decimals.
    mutating func add(_ name: String, optional value: Double?) {
        add(name, json: value.map(Self.number) ?? "null")
    }

    private mutating func add(_ name: String, json: String) {
        if text.utf8.count > 1 { text += "," }
        text += "\(Self.quoted(name)):\(json)"
    }

    private static func number(_ value: Double) -> String {
        guard value.isFinite else { return "null" }
        let thousandths = (value * 1000).rounded()
        guard thousandths.magnitude < 9e15 else { return "\(value)" }
        let whole = Int(thousandths)
        return whole % 1000 == 0 ? "\(whole / 1000)" : "\(Double(whole) / 1000)"
    }

    /// RFC 8259, section 7.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
