/// A word of a configuration that is one of a few: a wrong one is answered with those that there are.
package protocol Choice: RawRepresentable, CaseIterable, Codable, Sendable where RawValue == String {}

extension Choice {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let value = Self(rawValue: text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "there is no '\(text)'; it must be \(Self.list)")
        }
        self = value
    }

    /// All of them, for a sentence: `a, b or c`.
    package static var list: String {
        let words = allCases.map { "'\($0.rawValue)'" }
        guard words.count > 1, let last = words.last else { return words.joined() }
        return words.dropLast().joined(separator: ", ") + " or " + last
    }
}
