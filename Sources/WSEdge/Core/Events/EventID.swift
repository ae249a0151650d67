import Common
import Foundation

/// What a client of events has, as the id of its last one: all of its position, for any edge, in few characters.
///
/// The epoch's 16 bytes, then for each source, in their order, how far its number is from the one before and its next offset, as
/// numbers of seven bits a byte, the lowest first (LEB128); in Base64 for addresses (RFC 4648, section 5) without padding.
struct EventID: Equatable {
    let epoch: String
    let position: [SourceID: Int64]

    init(epoch: String, position: [SourceID: Int64]) {
        self.epoch = epoch
        self.position = position
    }

    var text: String {
        var bytes: [UInt8] = []
        withUnsafeBytes(of: (UUID(uuidString: epoch) ?? Self.noEpoch).uuid) { bytes += $0 }
        var last: Int32 = 0
        for (source, next) in position.sorted(by: { $0.key < $1.key }) {
            Self.append(UInt64(source.rawValue - last), to: &bytes)
            Self.append(UInt64(next), to: &bytes)
            last = source.rawValue
        }
        return Data(bytes).base64EncodedString().replacingOccurrences(of: "+", with: "-")
            .replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
    }

    /// Nil: no edge has said so.
    init?(_ text: String) {
        let plain = text.replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
        let padding = String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4)
        guard let data = Data(base64Encoded: plain + padding), data.count >= 16 else { return nil }
        let uuid = data.withUnsafeBytes { $0.loadUnaligned(as: uuid_t.self) }
        epoch = UUID(uuid: uuid).uuidString.lowercased()
        var rest = Array(data.dropFirst(16))[...]
        var position: [SourceID: Int64] = [:]
        var last: Int32 = 0
        while !rest.isEmpty {
            guard let distance = Self.next(&rest).flatMap({ Int32(exactly: $0) }), let next = Self.next(&rest),
                case (let source, false) = last.addingReportingOverflow(distance), distance > 0 || position.isEmpty
            else { return nil }
            position[SourceID(rawValue: source)] = next
            last = source
        }
        self.position = position
    }

    private static let noEpoch = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))

    private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
        var left = number
        while left >= 0x80 {
            bytes.append(UInt8(left & 0x7F) | 0x80)
            left >>= 7
        }
        bytes.append(UInt8(left))
    }

    private static func next(_ bytes: inout ArraySlice<UInt8>) -> Int64? {
        var number: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 56, by: 7) {
            guard let byte = bytes.popFirst() else { return nil }
            number |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return Int64(number) }
        }
        return nil
    }
}
