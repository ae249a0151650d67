/// The small number of a source: one incarnation of a topic partition (`millrace.source.id`).
///
/// It stands for the partition everywhere: in rows, positions and the feed.
package struct SourceID: RawRepresentable, Hashable, Comparable, Sendable, Codable {
    package let rawValue: Int32

    package init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    package static func < (left: SourceID, right: SourceID) -> Bool {
        left.rawValue < right.rawValue
    }
}

extension SourceID: CustomStringConvertible {
    package var description: String { String(rawValue) }
}
