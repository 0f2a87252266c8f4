// Taking a JSON value apart; what is missing or of another kind is named.

extension JSONText {
    /// The member `name` of an object.
    func member(_ name: String) throws(JSONProblem) -> JSONText {
        guard case .object(let members) = self, let member = members.first(where: { $0.0 == name })
        else { throw JSONProblem("\(name) is missing") }
        return member.1
    }

    func text(_ name: String) throws(JSONProblem) -> String {
        guard case .string(let text) = try member(name) else {
            throw JSONProblem("\(name) is no string")
        }
        return text
    }

    func texts(_ name: String) throws(JSONProblem) -> [String] {
        var texts: [String] = []
        for element in try elements(name) {
            guard case .string(let text) = element else {
                throw JSONProblem("\(name) holds something other than strings")
            }
            texts.append(text)
        }
        return texts
    }

    func elements(_ name: String) throws(JSONProblem) -> [JSONText] {
        guard case .array(let elements) = try member(name) else {
            throw JSONProblem("\(name) is no list")
        }
        return elements
    }

    func number<Number: LosslessStringConvertible>(
        _ name: String, as type: Number.Type = Number.self
    ) throws(JSONProblem) -> Number {
        guard case .number(let text) = try member(name), let number = Number(text) else {
            throw JSONProblem("\(name) is no number that fits")
        }
        return number
    }

    func flag(_ name: String) throws(JSONProblem) -> Bool {
        guard case .boolean(let value) = try member(name) else {
            throw JSONProblem("\(name) is neither true nor false")
        }
        return value
    }

    func optionalNumber<Number: LosslessStringConvertible>(
        _ name: String, as type: Number.Type = Number.self
    ) throws(JSONProblem) -> Number? {
        try member(name) == .null ? nil : try number(name)
    }

    func optionalText(_ name: String) throws(JSONProblem) -> String? {
        try member(name) == .null ? nil : try text(name)
    }
}
