import Common
import TestSupport

/// What a database has to hold after a run, from what was produced and where Kafka has put it.
struct FaultOracle {
    private struct Place {
        let partition: Int
        let offset: Int64
        let content: FaultLoad.Content
    }

    private let mode: StreamMode
    private let places: [Place]
    private let ends: [Int64]
    /// Records that are still in Kafka, by partition: fewer than there were, if some were compacted away.
    private let keptCounts: [Int]
    private(set) var violations: [String] = []

    /// Reads the topic again: it holds what was produced, in that order, and nothing else, but for what it held when
    /// that was noted and was compacted away since.
    init(_ mode: StreamMode, _ load: FaultLoad, kafka: TestKafka, topic: String) throws {
        self.mode = mode
        ends = try kafka.ends(topic, partitions: Int32(load.sent.count))
        var places: [Place] = []
        let found = try kafka.read(topic, to: ends)
        for (partition, sent) in load.sent.enumerated() {
            let kept = load.noted[partition].merging(found[partition].map { ($0.offset, $0) }) { $1 }
                .sorted { $0.key < $1.key }.map(\.value)
            let isSame = kept.elementsEqual(sent) { kept, content in
                let record = FaultLoad.record(content)
                return kept.key == record.key && kept.value == record.value
            }
            if !isSame {
                violations.append(
                    "Kafka holds \(kept.count) records in partition \(partition), \(sent.count) were produced, or others"
                )
            }
            places += zip(kept, sent).map { Place(partition: partition, offset: $0.offset, content: $1) }
        }
        self.places = places
        keptCounts = found.map(\.count)
    }

    /// `partition|offset` of each record that is no poison.
    var goodPlaces: Set<String> {
        Set(places.filter { !$0.content.isPoison }.map { "\($0.partition)|\($0.offset)" })
    }

    /// What is wrong with the rows that somebody saw, each as canonical JSON, in the order in which they came.
    func violations(ofSeen seen: [String]) -> [String] {
        var expected: [Int: [String]] = [:]
        var partitions: [String: Int] = [:]
        for place in places where !place.content.isPoison {
            let row = FaultLoad.record(place.content).value ?? ""
            expected[place.partition, default: []].append(row)
            partitions[row] = place.partition
        }
        let found = Dictionary(grouping: seen) { partitions[$0] ?? -1 }
        return Set(found.keys).union(expected.keys).sorted().compactMap { partition in
            let (found, expected) = (found[partition] ?? [], expected[partition] ?? [])
            guard let first = zip(found, expected).first(where: { $0 != $1 }) else {
                return found.count == expected.count
                    ? nil : "partition \(partition): \(found.count) rows were seen, \(expected.count) are there"
            }
            return "partition \(partition): \(first.0) was seen where \(first.1) was due"
        }
    }

    /// - Parameter cluster: where the topic is; another one was empty.
    mutating func check(_ fleet: Fleet, cluster: String) throws {
        try compare(
            "dead letters", expectedLetters,
            fleet.rows(
                """
                SELECT partition, source_offset, reason_code, convert_from(value, 'UTF8')
                FROM millrace.dead_letter JOIN millrace.source s ON s.id = source_id
                """))
        checkLedger(
            try fleet.rows(
                """
                SELECT s.next_offset, sum(e.records), sum(e.rows), sum(e.dead), sum(e.skipped)
                FROM millrace.source s, LATERAL (
                    SELECT records, rows, dead, skipped FROM millrace.ledger WHERE source_id = s.id
                    UNION ALL SELECT s.open_records, s.open_rows, s.open_dead, s.open_skipped) AS e
                WHERE s.cluster_id = '\(cluster)'
                GROUP BY s.id ORDER BY s.partition
                """))
        let columns =
            switch mode {
            case .append: "partition, source_offset, k, n"
            case .increment: "k, n, deleted"
            case .upsert: "partition, source_offset, k, n, deleted"
            }
        try compare(
            "rows", expectedRows,
            fleet.rows("SELECT \(columns) FROM events JOIN millrace.source s ON s.id = source_id"))
    }

    /// As multisets: what is there twice is too much.
    private mutating func compare(_ what: String, _ expected: [String], _ found: [String]) {
        var difference: [String: Int] = [:]
        for line in expected { difference[line, default: 0] += 1 }
        for line in found { difference[line, default: 0] -= 1 }
        for (sign, word) in [(1, "missing"), (-1, "too many")] {
            let lines = difference.filter { $0.value * sign > 0 }.keys.sorted()
            guard !lines.isEmpty else { continue }
            violations.append("\(what): \(lines.count) \(word), such as \(lines.prefix(3))")
        }
    }

    private var expectedLetters: [String] {
        places.filter(\.content.isPoison).map { "\($0.partition)|\($0.offset)|not_json|poison" }
    }

    /// Each partition is counted to its end. A record that was compacted away was counted, or had gone before.
    private mutating func checkLedger(_ found: [String]) {
        for (partition, end) in ends.enumerated() {
            let own = places.filter { $0.partition == partition }
            let dead = own.count(where: \.content.isPoison)
            let possible = (keptCounts[partition]...own.count).map { "\(end)|\($0)|\($0 - dead)|\(dead)|0" }
            guard partition < found.count, possible.contains(found[partition]) else {
                violations.append(
                    "positions and counts: \(found), but partition \(partition) ends at \(end) with \(own.count) records, "
                        + "\(dead) of them poison; \(keptCounts[partition]) are left")
                continue
            }
        }
    }

    private var expectedRows: [String] {
        var rows: [String] = []
        var sums: [String: Int] = [:]
        var newest: [String: String] = [:]
        for place in places {
            let at = "\(place.partition)|\(place.offset)"
            switch place.content {
            case .poison: break
            case .row(let key, let number):
                rows.append("\(at)|\(key)|\(number)")
                sums[key, default: 0] += number
                newest[key] = "\(at)|\(key)|\(number)|f"
            case .tombstone(let key): newest[key] = "\(at)|\(key)|-|t"
            }
        }
        return switch mode {
        case .append: rows
        case .increment: sums.map { "\($0.key)|\($0.value)|f" }
        case .upsert: Array(newest.values)
        }
    }
}
