package import Common

/// What one feed message takes of a committed run.
package struct FeedPart {
    /// What each source moves over.
    package let spans: [FeedMessage.Span]
    package let rowCount: Int
    /// In the batch's `feed`.
    package let rows: Range<Int>
}

extension Batch {
    /// A committed run of an append stream that is published, in as many parts as its bytes need: a part ends with the row that
    /// reaches the limit.
    package func feedParts(_ transaction: BatchTransaction, byteLimit: Int = FeedMessage.byteLimit) -> [FeedPart] {
        guard !transaction.isDeadLetter, let first = transaction.range.first else {
            return [FeedPart(spans: transaction.spans, rowCount: 0, rows: 0..<0)]
        }
        var parts: [FeedPart] = []
        var position = Dictionary(uniqueKeysWithValues: transaction.spans.map { ($0.source, $0.from) })
        var reached = position
        var rowCount = 0
        var rows = entries[first].feedRow.lowerBound..<entries[first].feedRow.lowerBound
        var index = first
        while index < transaction.range.upperBound {
            // Records come in runs of one source.
            let source = entries[index].source
            repeat {
                let row = entries[index].feedRow
                if !row.isEmpty { rowCount += 1 }
                rows = rows.lowerBound..<row.upperBound
                index += 1
            } while index < transaction.range.upperBound && entries[index].source == source && rows.count < byteLimit
            reached[source] = entries[index - 1].offset + 1
            guard rows.count >= byteLimit, index < transaction.range.upperBound else { continue }
            let spans = transaction.spans.compactMap { span in
                let (from, to) = (position[span.source]!, reached[span.source]!)
                return to > from ? FeedMessage.Span(source: span.source, from: from, to: to) : nil
            }
            parts.append(FeedPart(spans: spans, rowCount: rowCount, rows: rows))
            position = reached
            rowCount = 0
            rows = rows.upperBound..<rows.upperBound
        }
        let spans = transaction.spans.map { FeedMessage.Span(source: $0.source, from: position[$0.source]!, to: $0.to) }
        return parts + [FeedPart(spans: spans, rowCount: rowCount, rows: rows)]
    }
}
