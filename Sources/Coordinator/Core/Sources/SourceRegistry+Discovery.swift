import Common
import Kafka
import Postgres

extension SourceRegistry {
    /// The sources as they are now. Safe to call again and again: a connection that was lost is made again, with the
    /// fleet's lock. What is wrong with a topic concerns its own sources only; without Kafka they are those that were
    /// known last.
    ///
    /// - Parameter checking: also ask Kafka whether the partitions that are known are still the same ones.
    /// - Throws: `StartError` when another fleet has taken the schema meanwhile; the first time also what forbids to begin.
    package mutating func discover(checking: Bool = true) throws -> Found {
        try reconnect()
        guard try takeOver() else { return try follow() }
        var found = Found()
        let view: ClusterView
        do throws(KafkaError) { view = try look() } catch {
            guard let cluster else { throw error }
            found.troubles.append("\(error)")
            try addKnown(cluster, to: &found)
            return found
        }
        if configuration.beginsOnNewCluster, begunOn == nil { begunOn = view.cluster }
        let check = try ClusterCheck(configuration: configuration).run(
            view.cluster, isNew: begunOn == view.cluster, on: &connection)
        if cluster == nil, check.isElsewhere || check.isMoved { throw StartError(check.text, .configuration) }
        if check.isElsewhere, let cluster {
            found.troubles.append(check.text)
            try addKnown(cluster, withheld: .stopped("Kafka is another cluster now"), to: &found)
            return found
        }
        cluster = view.cluster
        var isOutage = false
        let earlierDoubts = doubts
        doubts = [:]
        for stream in configuration.streams {
            for topic in stream.topics {
                if let refusal = check.refusals[topic] {
                    found.troubles.append(refusal)
                    continue
                }
                let rows = try rows(of: topic, cluster: view.cluster, id: view.ids[topic])
                do {
                    try add(topic, of: stream.name, rows, view, checking: checking, earlierDoubts, to: &found)
                } catch let error as KafkaError {
                    found.troubles.append("topic '\(topic)': \(error)")
                    isOutage = true
                    // As they are by now.
                    found.entries += try self.rows(of: topic, cluster: view.cluster, id: nil).map {
                        entry($1, stream.name, TopicPartition(topic, $0))
                    }
                }
            }
            try addReplays(of: stream.name, to: &found)
        }
        // Nothing of it can be read: a mistake rather than an outage.
        if !wasFound, found.entries.allSatisfy({ ReplaySource.isOne(topic: $0.partition.topic) }),
            let trouble = found.troubles.first
        {
            throw StartError(trouble, isOutage ? .unavailable : .configuration)
        }
        wasFound = true
        return found
    }

    /// A partition without a leader does not hold up the others for longer.
    private static let offsetLimit = Duration.seconds(2)

    private mutating func add(
        _ topic: String, of stream: String, _ known: [Int32: Row], _ view: borrowing ClusterView, checking: Bool,
        _ earlierDoubts: [SourceID: String], to found: inout Found
    ) throws {
        guard let count = view.counts[topic] else {
            let trouble =
                "topic '\(topic)' of stream '\(stream)' does not exist, or may not be described; make it: "
                + "kafka-topics.sh --create --topic \(topic) --partitions 8"
            found.troubles.append(trouble)
            found.entries += known.map { partition, row in
                var entry = entry(row, stream, TopicPartition(topic, partition))
                entry.hold = entry.hold ?? .stopped("the topic does not exist, or may not be described")
                return entry
            }
            return
        }
        // What was read before, if only in another life, is begun at its start.
        let isNewTopic = try known.isEmpty && !hasHistory(topic, view.cluster)
        if known.isEmpty, try hasOthers(topic, than: view.cluster) {
            notices.append("topic \(topic): another Kafka cluster; the sources of the one before are set aside")
        }
        if let id = view.ids[topic] {
            for row in known.values where row.topicID.map({ $0 != id }) ?? false { found.remade.insert(row.id) }
        }
        var entries: [Entry] = []
        for partition in 0..<count {
            let place = TopicPartition(topic, partition)
            guard let row = known[partition] else {
                let start = try firstOffset(place, view.admin, isNewTopic: isNewTopic)
                entries.append(try insert(place, stream, view.cluster, id: view.ids[topic], start: start))
                continue
            }
            switch try judge(place, row, view, checking: checking, earlierDoubts) {
            case .same(let end):
                if let end { ends[row.id] = end }
                entries.append(entry(row, stream, place))
            case .lostItsEnd(let why):
                var entry = entry(row, stream, place)
                try stop(row.id, because: "\(place) \(why)")
                notices.append("\(place) \(why); it is stopped until somebody says where it goes on: coordinator reset")
                entry.hold = .stopped("\(place) \(why)")
                entries.append(entry)
            case .another(let why):
                let start = try firstOffset(place, view.admin, isNewTopic: false)
                entries.append(
                    try insert(place, stream, view.cluster, id: view.ids[topic], start: start, retiring: row.id))
                retired(row, place, because: why)
            }
        }
        for (partition, row) in known.sorted(by: { $0.key < $1.key }) where partition >= count {
            let place = TopicPartition(topic, partition)
            let why = "is there no more: its topic was made again with \(count) partitions"
            // With the same id a topic never gets fewer.
            if let id = view.ids[topic], let knownID = row.topicID, id != knownID {
                if isCertain(why, of: row.id, earlierDoubts) {
                    try retire(row, place, because: why)
                    continue
                }
            } else {
                doubts[row.id] = "is not among the \(count) partitions that Kafka names"
            }
            entries.append(entry(row, stream, place))
        }
        found.entries += entries
    }

    mutating func addReplays(of stream: String, to found: inout Found) throws(PostgresError) {
        let topic = ReplaySource.topic(of: stream)
        for row in try rows(of: topic, cluster: ReplaySource.cluster, id: nil).values {
            found.entries.append(entry(row, stream, TopicPartition(topic, 0)))
        }
    }

    /// What is in doubt is read by nobody until it is certain.
    func entry(_ row: Row, _ stream: String, _ place: TopicPartition) -> Entry {
        Entry(
            id: row.id, stream: stream, partition: place, nextOffset: row.nextOffset,
            endOffset: ends[row.id],
            hold: row.hold ?? doubts[row.id].map { .stopped("asking again: \(place) \($0)") })
    }

    private enum Judgement {
        /// Or in doubt.
        case same(end: Int64?)
        /// The same topic, as far as Kafka tells, without records that were read: restored, or an unclean election.
        case lostItsEnd(String)
        case another(String)
    }

    /// Whether a partition is still what the row says.
    /// - Parameter checking: ask for its end.
    private mutating func judge(
        _ place: TopicPartition, _ row: Row, _ view: borrowing ClusterView, checking: Bool,
        _ earlierDoubts: [SourceID: String]
    ) throws -> Judgement {
        let id = view.ids[place.topic]
        if let id, let known = row.topicID, id != known {
            let why = "was made again (topic id \(id), before \(known))"
            return isCertain(why, of: row.id, earlierDoubts) ? .another(why) : .same(end: nil)
        }
        // Of what nobody reads, nobody else knows how much waits.
        guard checking || row.hold != nil else { return .same(end: nil) }
        let end = try view.admin.watermarks(place, timeout: Self.offsetLimit).high
        guard end < row.nextOffset, row.hold == nil else { return .same(end: end) }
        // A broker may answer with another life of the topic for a moment: the next discovery has to say the same.
        guard isCertain("ends behind next_offset \(row.nextOffset)", of: row.id, earlierDoubts) else {
            return .same(end: nil)
        }
        return .lostItsEnd(
            "ends at \(end), behind next_offset \(row.nextOffset): Kafka has lost records that were read (restored, or an "
                + "unclean election)\(id == nil ? ", or the topic was made again" : "")")
    }

    /// Whether the discovery before said the same.
    private mutating func isCertain(_ why: String, of id: SourceID, _ earlier: [SourceID: String]) -> Bool {
        doubts[id] = why
        return earlier[id] == why
    }
}
