import Common
import Kafka

/// The ledger beside what Kafka still holds.
extension Verification {
    mutating func compareWithKafka(_ accounts: inout [Account]) throws {
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
                try compare(accounts[index].entries, with: record.place, &accounts[index].finding, admin)
            }
        }
    }

    private func compare(
        _ entries: [Entry], with place: TopicPartition, _ finding: inout Finding, _ admin: borrowing Admin
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
        let seen = try Recount(configuration.kafka, place).count(comparable.map(\.positions))
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
