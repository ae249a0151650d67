/// How long something is kept: `90s`, `15m`, `12h` or `30d` in a configuration.
package struct RetentionPeriod: Hashable, Sendable, Codable {
    package let seconds: Int64

    package init(seconds: Int64) {
        self.seconds = seconds
    }

    private static let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]

    /// Nil for anything but a positive number and a unit.
    package init?(_ text: String) {
        guard let unit = text.last.flatMap({ Self.units[$0] }), let count = Int64(text.dropLast()), count > 0,
            count < Int64.max / 86_400
        else { return nil }
        seconds = count * unit
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let period = Self(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "'\(text)' is no period; write 90s, 15m, 12h or 30d")
        }
        self = period
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode("\(seconds)s")
    }
}
