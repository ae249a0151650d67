internal import Common
private import Glibc
internal import JSONRecords

/// Records from a file that has one JSON object a line (NDJSON). Lines go on as they are, byte for byte, unless fields
/// are to be renamed. Empty lines are none.
final class JSONLines: RecordSource {
    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    private var input: InputFile
    private let topic: String
    private let checker: RecordChecker
    private let renaming: FieldRenaming?
    private let byteLimit: Int
    private var line: Int64 = 0
    /// Of what is unread, how much holds no end of a line.
    private var searched = 0
    /// In the rest of a line that was too long.
    private var isSkipping = false

    /// - Parameters:
    ///   - map: from columns to the fields that hold them.
    ///   - byteLimit: of a line.
    init(_ stream: StreamDefinition, path: String, map: [String: String], byteLimit: Int) throws(StartError) {
        topic = stream.topics[0]
        checker = try RecordChecker(stream, byteLimit: byteLimit)
        renaming = map.isEmpty ? nil : try FieldRenaming(stream, map, byteLimit: byteLimit)
        self.byteLimit = byteLimit
        // As much again as a line: so that short lines are read many at a time.
        input = try InputFile(path, capacity: 2 * byteLimit + 65_536)
    }

    var progress: (read: Int64, size: Int64)? { input.size.map { (input.consumed, $0) } }

    func next(_ take: (OutgoingRecord) throws -> Void) throws -> RecordSourceStep {
        while true {
            let unread = input.unread
            if let length = Self.lineLength(unread, from: searched) {
                defer {
                    input.consume(length + 1)
                    searched = 0
                }
                if try use(UnsafeRawBufferPointer(rebasing: unread[..<length]), take) { return .record }
                continue
            }
            searched = unread.count
            if unread.count > byteLimit + Self.byteOrderMark.count + 1 {
                input.consume(unread.count)
                searched = 0
                let isNew = !isSkipping
                isSkipping = true
                if isNew { throw BadLine(line: line + 1, reason: "is longer than \(byteLimit) bytes") }
                continue
            }
            switch try input.fill() {
            case .more: continue
            case .waiting: return .waiting(input.descriptor)
            case .end:
                let rest = input.unread
                guard !rest.isEmpty else { return .end }
                defer {
                    input.consume(rest.count)
                    searched = 0
                }
                if try use(rest, take) { return .record }
            }
        }
    }

    private static func lineLength(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard let base = bytes.baseAddress, start < bytes.count,
            let found = memchr(base + start, Int32(UInt8(ascii: "\n")), bytes.count - start)
        else { return nil }
        return UnsafeRawPointer(found) - base
    }

    /// False when the line is none.
    private func use(_ bytes: UnsafeRawBufferPointer, _ take: (OutgoingRecord) throws -> Void) throws -> Bool {
        line += 1
        guard !isSkipping else {
            isSkipping = false
            return false
        }
        var bytes = bytes
        if bytes.last == UInt8(ascii: "\r") { bytes = UnsafeRawBufferPointer(rebasing: bytes.dropLast()) }
        if line == 1, bytes.starts(with: Self.byteOrderMark) {
            bytes = UnsafeRawBufferPointer(rebasing: bytes.dropFirst(Self.byteOrderMark.count))
        }
        guard bytes.contains(where: { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }) else { return false }
        do {
            if let renaming { bytes = try renaming.rename(bytes) }
            try checker.check(bytes) { key in try take(OutgoingRecord(topic: topic, key: key, value: bytes)) }
        } catch let error as RecordRejection {
            throw BadLine(line: line, reason: error.reason)
        }
        return true
    }
}
