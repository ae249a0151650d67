import Common
import Kafka

/// The ledger beside what Kafka still holds.
extension Verification {
    func compareWithKafka(_ accounts: inout [Account], _ stored: [StoredQuantities]) throws {
        guard !accounts.isEmpty else { return }
        let admin = try Admin(configuration.kafka)
        guard let cluster = admin.clusterID() else {
            throw KafkaError(operation: "verify", code: -185, message: "no broker answered")
        }
        for index in accounts.indices where !accounts[index].record.isReplay {
            let record = accounts[index].record
            // Nothing was read.
            guard record.start < record.next else { continue }
            let what = "\(record.start)..<\(record.next)"
            if record.isRetired {
                accounts[index].finding.notComparable.append("\(what): the source is retired")
            } else if record.cluster != cluster {
                accounts[index].finding.notComparable.append(
                    "\(what): of cluster \(record.cluster), and Kafka is \(cluster)")
            } else {
                let stored = stored.first { $0.stream.name == record.stream }
                try compare(&accounts[index], admin, stored)
            }
        }
        for stored in stored { check(stored, &accounts) }
    }

    private func compare(_ account: inout Account, _ admin: borrowing Admin, _ stored: StoredQuantities?) throws {
        let (entries, place) = (account.entries, account.record.place)
        var quantities = stored.map { RecordQuantities($0.stream, dead: $0.dead[account.record.id] ?? []) }
        try compare(entries, with: place, &account.finding, admin, &quantities)
        guard account.finding.breaks.isEmpty, account.finding.notComparable.isEmpty else { return }
        if let obstacle = quantities?.obstacle {
            account.finding.notComparable.append("what its records add up to: \(obstacle)")
        } else {
            account.quantities = quantities?.sum
        }
    }

    /// What a stream's table adds up to is what the records of all its sources do. Told with the first of them.
    private func check(_ stored: StoredQuantities, _ accounts: inout [Account]) {
        let own = accounts.indices.filter { accounts[$0].record.stream == stored.stream.name }
        guard let first = own.first else { return }
        var sum = Quantities(stored.stream)
        for index in own
        where !accounts[index].record.isReplay && !accounts[index].entries.allSatisfy(\.positions.isEmpty) {
            guard let quantities = accounts[index].quantities else {
                accounts[first].finding.notComparable.append(
                    "what \(stored.stream.table) adds up to: not all records of source \(accounts[index].record.id) can be read again"
                )
                return
            }
            sum = sum + quantities
        }
        guard sum != stored.sum else { return }
        let columns = zip(stored.stream.increments, zip(stored.sum.sums, sum.sums)).map { column, sums in
            "\(column) \(sums.0) in \(stored.stream.table), \(sums.1) in Kafka"
        }
        accounts[first].finding.breaks.append("what the keys add up to: \(columns.joined(separator: "; "))")
    }

    private func compare(
        _ entries: [Entry], with place: TopicPartition, _ finding: inout Finding, _ admin: borrowing Admin,
        _ quantities: inout RecordQuantities?
    ) throws {
        guard let end = entries.last?.positions.upperBound, end > entries[0].positions.lowerBound else { return }
        guard let (low, high) = try admin.watermarksIfThere(place) else {
            finding.breaks.append("Kafka has no \(place), but records up to \(end) were stored: another topic?")
            return
        }
        if end > high {
            finding.breaks.append("\(place) ends at \(high), but records up to \(end) were stored: another topic?")
            return
        }
        let comparable = entries.filter { $0.positions.lowerBound >= low && !$0.positions.isEmpty }
        for entry in entries where entry.positions.lowerBound < low && !entry.positions.isEmpty {
            finding.notComparable.append("\(entry.positions): Kafka holds \(place) from \(low) on")
        }
        guard !comparable.isEmpty else { return }
        let seen = try Recount(configuration.kafka, place).count(comparable.map(\.positions), &quantities)
        let hasFewer = zip(comparable, seen).contains { $1.records < $0.records }
        let isCompacted = try hasFewer && admin.isCompacted(place.topic)
        for (entry, seen) in zip(comparable, seen) {
            if isCompacted, seen.records < entry.records {
                finding.notComparable.append(
                    "\(entry.positions): Kafka has compacted \(place.topic), \(seen.records) of \(entry.records) records are left"
                )
            } else if seen.records != entry.records {
                finding.breaks.append(
                    "\(entry.positions): \(entry.records) records in the ledger, \(seen.records) in Kafka")
            } else if seen.checksum != entry.checksum {
                finding.breaks.append("\(entry.positions): the records in Kafka have another checksum")
            }
        }
    }
}
