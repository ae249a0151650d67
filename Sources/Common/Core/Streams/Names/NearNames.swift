/// Finds the names that somebody may have meant who wrote one that does not exist.
package enum NearNames {
    private static let limit = 3
    /// Only so many characters of a name are compared.
    private static let lengthLimit = 128

    /// Returns the near names, the nearest first.
    package static func of(_ name: String, among names: some Sequence<String>) -> [String] {
        let wanted = Array(name.lowercased().unicodeScalars.prefix(lengthLimit))
        guard !wanted.isEmpty else { return [] }
        let near = names.compactMap { other -> (name: String, distance: Int)? in
            let given = Array(other.lowercased().unicodeScalars.prefix(lengthLimit))
            let distance = distance(wanted, given)
            // A third of it mistyped, or one that begins with the other.
            let isNear = distance <= max(1, max(wanted.count, given.count) / 3)
            let begins = wanted.count > 2 && (given.starts(with: wanted) || wanted.starts(with: given))
            return isNear || begins ? (other, distance) : nil
        }
        return near.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(limit).map(\.name)
    }

    /// How many characters have to be put in, left out or replaced (Levenshtein's distance).
    private static func distance(_ first: [Unicode.Scalar], _ second: [Unicode.Scalar]) -> Int {
        var row = Array(0...second.count)
        for (index, character) in first.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for (column, other) in second.enumerated() {
                let above = row[column + 1]
                row[column + 1] = min(above + 1, row[column] + 1, diagonal + (character == other ? 0 : 1))
                diagonal = above
            }
        }
        return row[second.count]
    }
}
