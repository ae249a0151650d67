import Common
private import Glibc
import Postgres

/// Folds a run of a keyed batch into one row a key: the newest for upserts, the sum and its lowest prefix for
/// increments. The result does not depend on how records were batched: a lowest prefix that keeps to the minimum
/// means that every record on the way does.
///
/// A record costs a look into a table of hashes, and no memory unless its key is new.
struct Staging: ~Copyable {
    private(set) var rows: [StagedRow] = []
    /// Why the run can't be one transaction, known before Postgres is asked.
    private(set) var refusal: PostgresError?
    /// Keys' encoded fields: compared and ordered by their bytes, so that all workers lock rows in one order.
    private var keys = ByteWriter(capacity: 64 * 1024)
    /// By hash, then the next free ones: places in `rows`, or -1.
    private var slots: [Int32]
    /// Of the record in hand: the columns' fields in the batch, lengths included.
    private var fields: [Range<Int>] = []
    private let stream: StreamDefinition
    private let keyIndices: [Int]
    private let incrementIndices: [Int]
    private let addsUp: Bool

    /// - Parameter recordCount: of the run.
    init(_ stream: StreamDefinition, recordCount: Int) {
        self.stream = stream
        keyIndices = stream.keyIndices
        addsUp = stream.mode == .increment
        incrementIndices = addsUp ? stream.incrementIndices : []
        var slotCount = 16
        while slotCount < 2 * recordCount { slotCount *= 2 }
        slots = Array(repeating: -1, count: slotCount)
    }

    mutating func add(_ range: Range<Int>, of batch: borrowing Batch) {
        for index in range {
            switch batch.entries[index].outcome {
            case .dead: continue
            case .row: add(index, deleted: false, batch)
            case .tombstone: add(index, deleted: true, batch)
            }
        }
    }

    private mutating func add(_ index: Int, deleted: Bool, _ batch: borrowing Batch) {
        findFields(of: index, in: batch)
        let (place, isNew) = place(index, deleted: deleted, batch)
        guard addsUp else {
            (rows[place].last, rows[place].deleted, rows[place].restarted) = (index, deleted, deleted)
            return
        }
        var row = rows[place]
        if isNew {
            row.chosen = .init(repeating: index, count: fields.count)
            row.sums = incrementIndices.map { _ in .init() }
            if !deleted { addUp(&row, batch) }
            rows[place] = row
            return
        }
        row.last = index
        if deleted || row.deleted { row.chosen = .init(repeating: index, count: fields.count) }
        if deleted {
            for position in row.sums.indices { row.sums[position].total = 0 }
            row.restarted = true
        } else {
            for column in fields.indices where fields[column].count > 4 { row.chosen[column] = index }
            addUp(&row, batch)
        }
        row.deleted = deleted
        rows[place] = row
    }

    /// The row of a record's key, made if there is none.
    private mutating func place(_ index: Int, deleted: Bool, _ batch: borrowing Batch) -> (Int, isNew: Bool) {
        let start = keys.count
        for column in keyIndices { addKey(column, batch.fields.bytes(fields[column])) }
        let key = keys.bytes(start..<keys.count)
        let hash = RecordChecksum.of(key)
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] >= 0 {
            let place = Int(slots[slot])
            if rows[place].hash == hash, Self.compare(keys.bytes(rows[place].key), key) == 0 {
                keys.truncate(to: start)
                return (place, false)
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        slots[slot] = Int32(rows.count)
        rows.append(
            StagedRow(key: start..<keys.count, hash: hash, last: index, deleted: deleted, restarted: deleted))
        return (rows.count - 1, true)
    }

    private static func compare(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
        let order = memcmp(left.baseAddress!, right.baseAddress!, min(left.count, right.count))
        return order != 0 ? Int(order) : left.count - right.count
    }

    /// The bytes of a key's field; equal values have equal bytes, also where Postgres has two forms of one.
    private mutating func addKey(_ column: Int, _ field: UnsafeRawBufferPointer) {
        let start = keys.count
        keys.append(field)
        // Matched, since `==` of enums with a raw value compares their texts.
        guard case .double = stream.columns[column].type, field.count == 12, field[4] == 0x80,
            field[5...].allSatisfy({ $0 == 0 })
        else { return }
        // Zero has a negative form.
        keys.replace(bigEndian: 0, at: start + 4)
    }

    private mutating func addUp(_ row: inout StagedRow, _ batch: borrowing Batch) {
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

    private mutating func findFields(of index: Int, in batch: borrowing Batch) {
        fields.removeAll(keepingCapacity: true)
        var start = batch.columnFields(index).lowerBound
        for _ in stream.columns.indices {
            let length = Int32(bigEndian: batch.fields.bytes.loadUnaligned(fromByteOffset: start, as: Int32.self))
            let end = start + 4 + max(0, Int(length))
            fields.append(start..<end)
            start = end
        }
    }

    /// The stage table's rows in COPY's binary format, in the order of their keys.
    mutating func copy(_ batch: borrowing Batch, to writer: inout ByteWriter) {
        writer.copyStart()
        for place in keyOrder() {
            let row = rows[place]
            writer.copyRow(fieldCount: stream.columns.count + 4 + incrementIndices.count)
            if addsUp {
                copyColumns(of: row, batch, to: &writer)
            } else {
                writer.append(batch.fields.bytes(batch.columnFields(row.last)))
            }
            writer.copyField(batch.entries[row.last].source.rawValue)
            writer.copyField(batch.entries[row.last].offset)
            writer.copyField(row.deleted)
            for sum in row.sums {
                if let lowest = sum.lowest { writer.copyField(lowest) } else { writer.copyNull() }
            }
            writer.copyField(row.restarted)
        }
        writer.copyEnd()
    }

    private func keyOrder() -> [Int] {
        let (bytes, rows) = (keys.bytes, self.rows)
        return rows.indices.sorted {
            let (left, right) = (rows[$0].key, rows[$1].key)
            return Self.compare(
                UnsafeRawBufferPointer(rebasing: bytes[left]), UnsafeRawBufferPointer(rebasing: bytes[right])) < 0
        }
    }

    /// Of increments: sums, and of each other column the field that counts.
    private mutating func copyColumns(of row: StagedRow, _ batch: borrowing Batch, to writer: inout ByteWriter) {
        for column in stream.columns.indices {
            if let position = incrementIndices.firstIndex(of: column) {
                writer.copyField(row.sums[position].total)
            } else {
                findFields(of: row.chosen[column], in: batch)
                writer.append(batch.fields.bytes(fields[column]))
            }
        }
    }
}
