import Common
import Postgres

/// Folds a run of a keyed batch into one row a key: the newest for upserts, the sum and its lowest prefix for
/// increments. The result does not depend on how records were batched: a lowest prefix that keeps to the minimum
/// means that every record on the way does.
struct Staging {
    private(set) var rows: [StagedKey: StagedRow] = [:]
    /// Why the run can't be one transaction, known before Postgres is asked.
    private(set) var refusal: PostgresError?
    private let stream: StreamDefinition
    private let keyIndices: [Int]
    private let incrementIndices: [Int]

    init(_ batch: Batch, _ range: Range<Int>) {
        stream = batch.stream
        keyIndices = stream.keyIndices
        incrementIndices = stream.mode == .increment ? stream.incrementIndices : []
        for index in range {
            switch batch.entries[index].outcome {
            case .dead: continue
            case .row: add(index, deleted: false, batch)
            case .tombstone: add(index, deleted: true, batch)
            }
        }
    }

    private mutating func add(_ index: Int, deleted: Bool, _ batch: Batch) {
        let fields = Self.fields(of: batch.entries[index], in: batch, count: stream.columns.count)
        let key = StagedKey(bytes: keyIndices.flatMap { keyBytes($0, batch.fields.bytes(fields[$0])) })
        guard stream.mode == .increment, var row = rows[key] else {
            var first = StagedRow(
                chosen: .init(repeating: index, count: fields.count), sums: incrementIndices.map { _ in .init() },
                last: index, deleted: deleted, restarted: deleted)
            if !deleted { addUp(&first, fields, batch) }
            rows[key] = first
            return
        }
        row.last = index
        if deleted || row.deleted { row.chosen = .init(repeating: index, count: fields.count) }
        if deleted {
            for position in row.sums.indices { row.sums[position].total = 0 }
            row.restarted = true
        } else {
            for column in fields.indices where fields[column].count > 4 { row.chosen[column] = index }
            addUp(&row, fields, batch)
        }
        row.deleted = deleted
        rows[key] = row
    }

    /// The bytes of a key's field; equal values have equal bytes, also where Postgres has two forms of one.
    private func keyBytes(_ column: Int, _ field: UnsafeRawBufferPointer) -> [UInt8] {
        var bytes = Array(field)
        let isNegativeZero = bytes.count == 12 && bytes[4] == 0x80 && bytes[5...].allSatisfy { $0 == 0 }
        if isNegativeZero, stream.columns[column].type == .double { bytes[4] = 0 }
        return bytes
    }

    private mutating func addUp(_ row: inout StagedRow, _ fields: [Range<Int>], _ batch: Batch) {
        for (position, column) in incrementIndices.enumerated() {
            let field = batch.fields.bytes(fields[column])
            guard field.count == 12 else { continue }
            let change = Int64(bigEndian: field.loadUnaligned(fromByteOffset: 4, as: Int64.self))
            let (total, overflow) = row.sums[position].total.addingReportingOverflow(change)
            if overflow {
                refusal = PostgresError(operation: "add up", sqlState: "22003", message: "a sum is beyond 64 bits")
            }
            row.sums[position].total = total
            if !row.restarted {
                row.sums[position].lowest = min(row.sums[position].lowest ?? total, total)
            } else if let minimum = stream.columns[column].min, Double(total) < minimum {
                refusal = PostgresError(
                    operation: "add up", sqlState: PostgresError.belowMinimumState,
                    message: "a sum would fall below its minimum")
            }
        }
    }

    /// The places of an entry's COPY fields, lengths included.
    static func fields(of entry: Batch.Entry, in batch: Batch, count: Int) -> [Range<Int>] {
        var places: [Range<Int>] = []
        places.reserveCapacity(count)
        var start = entry.fields.lowerBound
        for _ in 0..<count {
            let length = Int32(bigEndian: batch.fields.bytes(start..<(start + 4)).loadUnaligned(as: Int32.self))
            let end = start + 4 + max(0, Int(length))
            places.append(start..<end)
            start = end
        }
        return places
    }

    /// The stage table's rows in COPY's binary format, in the order of their keys.
    func copy(_ batch: Batch, to writer: inout ByteWriter) {
        let count = stream.columns.count
        writer.copyStart()
        for (_, row) in rows.sorted(by: { $0.key < $1.key }) {
            writer.copyRow(fieldCount: count + 4 + incrementIndices.count)
            for column in 0..<count {
                if let position = incrementIndices.firstIndex(of: column) {
                    writer.copyField(row.sums[position].total)
                } else {
                    let entry = batch.entries[row.chosen[column]]
                    writer.append(batch.fields.bytes(Self.fields(of: entry, in: batch, count: count)[column]))
                }
            }
            let last = batch.entries[row.last]
            writer.copyField(last.source.rawValue)
            writer.copyField(last.offset)
            writer.copyField(row.deleted)
            for sum in row.sums {
                if let lowest = sum.lowest { writer.copyField(lowest) } else { writer.copyNull() }
            }
            writer.copyField(row.restarted)
        }
        writer.copyEnd()
    }
}
