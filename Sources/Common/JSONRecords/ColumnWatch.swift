package import Common

/// Finds the columns whose fields no record of a run had, run after run.
///
/// Owned by one thread. A run costs a look at each field until it was seen once, then a count a record.
package final class ColumnWatch {
    /// Records of a run.
    package static let runLength = 1000

    /// Those of the last whole run; nil before its end.
    package private(set) var absent: [AbsentColumn]?
    /// Records of the run that goes on.
    package private(set) var count = 0
    private let columns: [Watched]
    /// Places in `columns` that no record of this run had.
    private var unseen: [Int]

    private struct Watched {
        var name: String
        var path: String
        var names: [String]
    }

    package init(_ stream: StreamDefinition) {
        columns = stream.columns.compactMap { column in
            guard case .path(let path) = column.origin else { return nil }
            return Watched(name: column.name, path: path, names: ColumnOrigin.names(of: path))
        }
        unseen = Array(columns.indices)
    }

    /// A document was read.
    ///
    /// - Parameter firstPath: the reader's place of the first column's path; the others follow.
    func note(_ reader: borrowing DocumentReader, firstPath: Int) {
        var index = 0
        while index < unseen.count {
            if reader.isMissing(firstPath + unseen[index]) { index += 1 } else { unseen.remove(at: index) }
        }
        count += 1
        guard count == Self.runLength else { return }
        absent = absentSoFar(reader, firstPath: firstPath)
        count = 0
        unseen = Array(columns.indices)
    }

    /// Those of the run that goes on, with near names out of the reader's document.
    func absentSoFar(_ reader: borrowing DocumentReader, firstPath: Int) -> [AbsentColumn] {
        var found: [AbsentColumn] = []
        for index in unseen {
            let column = columns[index]
            let (names, depth) = reader.fields(towards: firstPath + index)
            let before = column.names.prefix(depth)
            let taken = columns.filter { $0.names.count > depth && $0.names.prefix(depth) == before }.map {
                $0.names[depth]
            }
            let near = NearNames.of(column.names[depth], among: names.filter { !taken.contains($0) })
            found.append(AbsentColumn(column: column.name, from: column.path, near: near))
        }
        return found
    }
}
