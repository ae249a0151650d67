import Common

/// What makes a log's segments others at the same offsets: positions that lost their meaning, and other columns.
struct LogVersion: Hashable, Sendable {
    let text: String

    init(epoch: String, _ stream: StreamDefinition) {
        let columns = stream.columns.map { "\($0.name)\u{0}\($0.type.rawValue)\u{0}\($0.jsonString)" }
        let sum = String(RecordChecksum.of(columns.joined(separator: "\u{0}")) % (1 << 32), radix: 16)
        text = "\(epoch)-\(String(repeating: "0", count: 8 - sum.utf8.count))\(sum)"
    }

    init(text: String) {
        self.text = text
    }
}
