import Common
import Foundation

/// What a client calls its request: comes back unchanged.
enum RequestID: Decodable, Sendable, Equatable {
    case number(Int64)
    case text(String)

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        self =
            if let number = try? value.decode(Int64.self) { .number(number) } else {
                .text(try value.decode(String.self))
            }
    }

    var json: String {
        switch self {
        case .number(let number): String(number)
        case .text(let text): ServerMessage.quoted(text)
        }
    }
}
