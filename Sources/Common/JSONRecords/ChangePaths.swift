/// Where things are in a change record (Debezium's envelope), with `payload` around it or without.
struct ChangePaths {
    struct Change {
        var isDelete: Bool
        /// Whether the row that it is about is there.
        var hasRow: Bool
        /// The place of the row's first value among the document's; the others follow in the order of their paths.
        var firstPath: Int
    }

    /// The document's paths: `op`, `before`, `after`, and a row's paths in both of them; all bare, then all below `payload`.
    let all: [String]
    private let rowPathCount: Int

    init(rowPaths: [String]) {
        rowPathCount = rowPaths.count
        var all: [String] = []
        for envelope in ["", "payload."] {
            for name in ["op", "before", "after"] { all.append(envelope + name) }
            for row in ["before.", "after."] {
                for path in rowPaths { all.append(envelope + row + path) }
            }
        }
        self.all = all
    }

    func change(in reader: borrowing DocumentReader) throws(RecordRejection) -> Change {
        var base = 0
        if case .missing = reader[0] { base = all.count / 2 }
        guard case .string(let bytes) = reader[base] else {
            throw RecordRejection(.missing, "the change record has no op, neither at its top nor below payload")
        }
        let op = String(decoding: bytes.prefix(16), as: UTF8.self)
        switch op {
        case "c", "r", "u":
            guard case .nested = reader[base + 2] else {
                throw RecordRejection(.missing, "the change record's op is '\(op)', but it has no object 'after'")
            }
            return Change(isDelete: false, hasRow: true, firstPath: base + 3 + rowPathCount)
        case "d":
            let hasRow = if case .nested = reader[base + 1] { true } else { false }
            return Change(isDelete: true, hasRow: hasRow, firstPath: base + 3)
        default:
            throw RecordRejection(
                .wrongType,
                "the change record's op is '\(op)'; taken are c, r, u and d (a truncated table has to be emptied by hand)"
            )
        }
    }
}
