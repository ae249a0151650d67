/// Reads one `name{label="value"} number` of the text format.
struct PrometheusLine {
    private var rest: Substring

    init(_ line: Substring) {
        rest = line
    }

    /// Nil for what is not of this form to its end.
    mutating func read() -> (PrometheusScrape.Series, Double)? {
        guard let name = word() else { return nil }
        var labels: [String: String] = [:]
        if skip("{") {
            repeat {
                guard let label = word(), skip("="), let value = quoted(), labels[label] == nil else { return nil }
                labels[label] = value
            } while skip(",")
            guard skip("}") else { return nil }
        }
        guard skip(" "), let number = Self.number(String(rest)) else { return nil }
        return (PrometheusScrape.Series(name: name, labels: labels), number)
    }

    static func number(_ text: String) -> Double? {
        if let special = ["+Inf": Double.infinity, "-Inf": -.infinity, "NaN": .nan][text] { return special }
        guard text.allSatisfy({ "0123456789.e+-".contains($0) }) else { return nil }
        return Double(text)
    }

    private mutating func skip(_ character: Character) -> Bool {
        guard rest.first == character else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func word() -> String? {
        let word = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        guard let first = word.first, !first.isNumber else { return nil }
        rest = rest[word.endIndex...]
        return String(word)
    }

    private mutating func quoted() -> String? {
        guard skip("\"") else { return nil }
        var text = ""
        while let character = rest.popFirst() {
            switch character {
            case "\"": return text
            case "\\":
                guard let plain = rest.popFirst().flatMap({ ["\\": "\\", "\"": "\"", "n": "\n"][$0] }) else {
                    return nil
                }
                text += plain
            default: text.append(character)
            }
        }
        return nil
    }
}
