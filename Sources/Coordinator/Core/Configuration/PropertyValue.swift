/// What a property in Config.json may be: text, a number or a boolean. The libraries take text.
package enum PropertyValue: Codable, Sendable, Equatable {
    case text(String)
    case number(String)
    case boolean(Bool)

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let value = try? container.decode(Bool.self) {
            self = .boolean(value)
        } else if let number = try? container.decode(Int64.self) {
            self = .number(String(number))
        } else if let number = try? container.decode(Double.self) {
            self = .number("\(number)")
        } else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "a property is a text, a number, true or false")
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let text), .number(let text): try container.encode(text)
        case .boolean(let value): try container.encode(value)
        }
    }

    /// For librdkafka.
    var kafka: String { text(true: "true", false: "false") }

    /// For libpq, whose booleans are numbers (`keepalives`, `sslsni`).
    var postgres: String { text(true: "1", false: "0") }

    private func text(true yes: String, false no: String) -> String {
        switch self {
        case .text(let text), .number(let text): text
        case .boolean(let value): value ? yes : no
        }
    }
}
