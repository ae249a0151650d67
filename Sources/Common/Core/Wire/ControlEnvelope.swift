import Foundation

/// The frame around every control message: JSON, `{"version":1,"message":{NAME:{…}}}`.
///
/// Programs of two versions meet while a fleet is upgraded. Within a version of the protocol messages and optional fields may
/// be added; who gets one that it doesn't know says so, by name.
package struct ControlEnvelope<Message: Codable & Sendable>: Codable, Sendable {
    package static var version: Int { ForeignMessage.ownVersion }

    package var version: Int
    package var message: Message

    package static func encode(_ message: Message) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return Array(try encoder.encode(ControlEnvelope(version: version, message: message)))
    }

    package static func decode(_ frame: [UInt8]) throws(ForeignMessage) -> Message {
        let data = Data(frame)
        guard let envelope = try? JSONDecoder().decode(Self.self, from: data), envelope.version == version
        else { throw ForeignMessage(data) }
        return envelope.message
    }
}
