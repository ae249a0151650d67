import Common

// One line for a person each, of what commands print.

extension Verification.Finding {
    package var line: String {
        let counts = "\(records) records = \(rows) rows + \(dead) dead + \(skipped) skipped"
        let notes = notComparable.map { "; not comparable: \($0)" }.joined()
        let result = breaks.isEmpty ? "proven" : "BROKEN: \(breaks.joined(separator: "; "))"
        return
            "source \(source) \(partition) \(positions.lowerBound)..<\(positions.upperBound): \(counts): \(result)\(notes)"
    }
}

extension Reset.Step {
    package var line: String {
        guard !isGone else { return "\(partition): Kafka has it no more; its source is retired" }
        let what =
            before.map { "is stream '\($0)''s no more, whose rows stay" }
            ?? (again > 0
                ? "\(again) offsets are read again, from which there are \(rows) rows and \(deadLetters) dead letters"
                : "\(skipped) offsets are skipped")
        return "\(partition): from \(from) to \(to): \(what)"
    }
}

extension Reset.Destination {
    /// A time as in RFC 3339; nil for anything else.
    package init?(time text: String) {
        var text = text
        guard let timestamp = text.withUTF8({ Timestamp(iso: UnsafeRawBufferPointer($0)) }) else { return nil }
        self = .time(timestamp.microseconds / 1000 + Timestamp.postgresEpochSeconds * 1000)
    }
}

extension DeadLetters.Letter {
    /// For a person at a terminal, which must not obey what a record holds.
    package var text: String {
        var lines = [
            "\(id)  \(failedAt)  \(stream)  \(topic):\(partition)@\(offset)  \(state)  \(reasonCode): \(reason)"
        ]
        if let replayReason { lines.append("    refused again: \(replayReason)") }
        if let key { lines.append("    key: \(key)") }
        if let value { lines.append("    value: \(value)") }
        if let headers { lines.append("    headers: \(headers)") }
        return lines.map(\.withVisibleControls).joined(separator: "\n")
    }
}
