import Common
import JSONRecords
import Kafka
import Postgres

/// The worker's side towards Postgres: one thing at a time, none of it waited for.
extension ShardWorker {
    private static let longestBackoff = 5.0

    /// Goes on with what is under way.
    func serveSession() throws {
        guard let session else { return }
        let finished: (Session.Activity, [QueryResult])?
        do throws(PostgresError) {
            finished = try session.serve()
        } catch {
            return try fail(session.activity, error)
        }
        guard let (activity, results) = finished else { return }
        switch activity {
        case .connecting: (connectFailures, isRefused) = (0, false)
        case .idle: break
        case .claiming(let ids): try claimed(ids, results[0])
        case .resuming(let lane): try resumed(lane, results[0])
        case .dropping(let ids):
            for id in ids { sources[id] = nil }
            try send(.released(sources: ids.sorted()))
            for (index, lane) in lanes.enumerated() where !sources.values.contains(where: { $0.lane == index }) {
                lane.forgetTrouble()
            }
        case .reading(let source): addLetters(results[0], to: source)
        case .staging(let lane):
            session.stagedLanes.insert(lane)
            // Triggers come and go: a new session looks again.
            lanes[lane].isPlain = true
        case .writing(let lane): try committed(lanes[lane], results)
        }
    }

    /// Starts to connect; what follows waits for the descriptor.
    func connect() throws {
        do throws(PostgresError) {
            session = try Session(configuration.postgres)
        } catch {
            try loseSession(error)
        }
    }

    // MARK: Starting

    /// Starts the next thing when nothing is under way: claims first, since their sources wait for them.
    func startWork() throws {
        guard let session, session.isIdle else { return }
        do throws(PostgresError) {
            if !claiming.isEmpty {
                let member = configuration.member.map(Connection.literal) ?? "NULL"
                let sql =
                    "SELECT * FROM \(schema.name).take_claim('\(claim)', '{\(list(claiming))}', \(generation), \(member))"
                return try session.start(selecting(sql), .claiming(claiming))
            }
            for (index, lane) in lanes.enumerated() where lane.shouldResume(at: .now) {
                let ids = sources.values.filter { $0.lane == index && $0.phase != .releasing }.map(\.id)
                let sql = "SELECT * FROM \(schema.name).resume_claim('\(claim)', '{\(list(ids))}')"
                return try session.start(selecting(sql), .resuming(lane: index))
            }
            let free = Set(sources.values.filter { $0.phase == .releasing && $0.isCommitted }.map(\.id))
            if !free.isEmpty {
                let sql = "SELECT \(schema.name).drop_claim('\(claim)', '{\(list(free))}')"
                return try session.start(Script(sql), .dropping(free))
            }
            if let source = replaySourceToRead() {
                return try session.start(lettersScript(source), .reading(source.id))
            }
            try startTransaction(session)
        } catch {
            try fail(session.activity, error)
        }
    }

    private func list(_ ids: some Sequence<SourceID>) -> String {
        ids.map(\.description).joined(separator: ",")
    }

    private func selecting(_ source: String) -> Script {
        Script(
            """
            SELECT id, stream, topic, partition, next_offset, open_from, open_records, open_rows, open_dead,
                open_skipped, open_checksum, cluster_id FROM (\(source)) AS s
            """)
    }

    private func startTransaction(_ session: Session) throws(PostgresError) {
        for turn in lanes.indices {
            let index = (nextLane + turn) % lanes.count
            let lane = lanes[index]
            guard !lane.needsResume else { continue }
            if !lane.isWriting {
                guard let due = commitTime(lane), due <= .now else { continue }
                lane.startWriting(now: .now, isPublished: publisher.hasSubscribers(lane.stream.name))
            }
            // A definition that Postgres refuses stops its own stream only.
            if !session.stagedLanes.contains(index) {
                return try session.start(Script(lane.table.sessionSQL), .staging(lane: index))
            }
            while let run = lane.runs.next {
                let transaction = makeTransaction(lane, index, run)
                if let refusal = transaction.refusal, lane.runs.split(because: refusal) { continue }
                lane.transaction = transaction
                lane.transactionStart = .now
                nextLane = (index + 1) % lanes.count
                return try session.start(transaction.script, .writing(lane: index))
            }
        }
    }

    private func makeTransaction(_ lane: Lane, _ index: Int, _ run: SplitRuns.Run) -> BatchTransaction {
        let held = sources.filter { $0.value.lane == index }
        let old = ContinuousClock.now - Self.ledgerInterval
        return BatchTransaction(
            lane.writing, run, claim: claim, ledger: held.mapValues(\.ledger), isPlain: lane.isPlain,
            closing: Set(held.values.filter { $0.ledgerOpenedAt <= old }.map(\.id)), table: lane.table, schema: schema)
    }

    // MARK: Finishing

    private func claimed(_ ids: Set<SourceID>, _ result: QueryResult) throws {
        // Of the new ones it is to be asked too whether Kafka is their cluster.
        knownCluster = nil
        // What was released while the claim was under way is given back.
        let wanted = claiming.intersection(ids)
        claiming.subtract(ids)
        var taken: [SourceID] = []
        for row in 0..<result.rowCount {
            let id = SourceID(rawValue: Int32(result.integer(row, 0)!))
            guard let lane = lanes.firstIndex(where: { $0.stream.name == result.text(row, 1) }) else {
                try send(
                    .failed(what: "source", reason: "stream '\(result.text(row, 1)!)' is not configured", sources: [id])
                )
                continue
            }
            let ledger = Self.ledger(result, row)
            sources[id] = SourceState(
                id: id, partition: TopicPartition(result.text(row, 2)!, Int32(result.integer(row, 3)!)), lane: lane,
                cluster: result.text(row, 11)!, ledger: ledger)
            if !wanted.contains(id) {
                sources[id]!.phase = .releasing
            } else if !lanes[lane].needsResume {
                // A lane that waits to be resumed takes its new sources along then.
                taken.append(id)
            }
        }
        let refused = ids.filter { sources[$0] == nil }.sorted()
        if !refused.isEmpty {
            try send(.failed(what: "claim", reason: "retired, or assigned to another since", sources: refused))
        }
        try assign(taken)
    }

    private static func ledger(_ result: QueryResult, _ row: Int) -> LedgerEntry {
        var ledger = LedgerEntry(openedAt: result.integer(row, 5)!)
        ledger.to = result.integer(row, 4)!
        ledger.records = result.integer(row, 6)!
        ledger.rows = result.integer(row, 7)!
        ledger.dead = result.integer(row, 8)!
        ledger.skipped = result.integer(row, 9)!
        ledger.checksum = UInt64(bitPattern: result.integer(row, 10)!)
        return ledger
    }

    private func resumed(_ index: Int, _ result: QueryResult) throws {
        knownCluster = nil
        lanes[index].needsResume = false
        lanes[index].block = nil
        var held: Set<SourceID> = []
        for row in 0..<result.rowCount {
            let id = SourceID(rawValue: Int32(result.integer(row, 0)!))
            held.insert(id)
            let ledger = Self.ledger(result, row)
            sources[id]?.ledger = ledger
            sources[id]?.taken = ledger.to
        }
        let lost = sources.values.filter { $0.lane == index && $0.phase != .releasing && !held.contains($0.id) }.map(
            \.id)
        for id in lost { sources[id] = nil }
        if !lost.isEmpty {
            try send(.failed(what: "claim", reason: "another worker holds it", sources: lost.sorted()))
        }
        if drainDeadline == nil { try assign(Array(held)) }
    }

    private func committed(_ lane: Lane, _ results: [QueryResult]) throws {
        guard let transaction = lane.transaction else { preconditionFailure("no transaction was under way") }
        for (id, entry) in transaction.ledger {
            if let before = sources[id]?.ledger, before.from != entry.from { sources[id]!.ledgerOpenedAt = .now }
            sources[id]?.ledger = entry
        }
        let now = Self.clock()
        count(lane, transaction, committedAt: now)
        if !lane.stream.isKeyed, !lane.isPlain {
            // Triggers may have changed or dropped what was sent: who follows reads what is stored.
            let heads = transaction.spans.map { FeedMessage.Span(source: $0.source, from: $0.to, to: $0.to) }
            try publisher.announce(heads, stream: lane.stream.name, at: now)
        } else if lane.stream.isKeyed, !transaction.isDeadLetter,
            let merged = results.last(where: { $0.columnCount > 1 })
        {
            try publisher.publish(merged, lane.stream, transaction, committedAt: now)
        } else {
            try publisher.publish(lane.writing, transaction, committedAt: now)
        }
        lane.runs.finish()
        lane.transaction = nil
        lane.countCommit(now: .now)
        if lane.progress.tripped != nil, let index = lanes.firstIndex(where: { $0 === lane }) { try reset(index) }
    }

    private func count(_ lane: Lane, _ transaction: BatchTransaction, committedAt now: Int64) {
        lane.progress.transactions += 1
        lane.progress.rows += transaction.rowCount
        lane.progress.deadLetters += transaction.deadCount
        lane.progress.batchSize.add(Double(transaction.range.count))
        if let start = lane.transactionStart { lane.progress.commitTime.add((.now - start) / .milliseconds(1)) }
        // A value of its own meanwhile: else each record would be an access to the lane.
        var latency = lane.progress.latency
        for entry in lane.writing.entries[transaction.range] {
            if let timestamp = entry.timestamp { latency.add(Double(now / 1000 - timestamp)) }
        }
        lane.progress.latency = latency
        let tripped = lane.breaker.add(records: transaction.range.count, dead: Int(transaction.deadCount))
        if lane.progress.tripped == nil { lane.progress.tripped = tripped }
    }

    // MARK: Failing

    /// The one place that decides what a failure in Postgres means.
    private func fail(_ activity: Session.Activity, _ error: PostgresError) throws {
        guard error.disposition != .outage, session?.isReady == true else { return try loseSession(error) }
        session?.becomeIdle()
        guard let index = activity.lane else {
            // Claims are the worker's own functions: an error there is one of the schema or of rights.
            return error.disposition == .retryTransaction ? () : try loseSession(error)
        }
        let lane = lanes[index]
        lane.transaction = nil
        if case .staging = activity, error.disposition != .retryTransaction {
            return try block(index, error.description)
        }
        switch error.disposition {
        case .record where lane.runs.split(because: error): break
        case .timeout where lane.timeouts == 0: lane.timeouts += 1
        case .timeout:
            if let count = lane.shorten() {
                let what = "transactions end before they are done, now \(count) rows each; \(Self.timeoutAdvice)"
                return try send(.failed(what: "stream \(lane.stream.name)", reason: what, sources: []))
            }
            try block(index, "even one row takes too long; \(Self.timeoutAdvice) (\(error.description))")
        case .tableChanged where lane.isPlain: lane.isPlain = false
        case .retryTransaction where lane.retries < Self.retryLimit: lane.retries += 1
        case .claimLost: try reset(index)
        case .retryTransaction, .record, .tableChanged, .stream, .outage: try block(index, error.description)
        }
    }

    private static let timeoutAdvice =
        "the setting statement_timeout stands in the way: ALTER ROLE … SET statement_timeout = 0 for the role that writes"

    private func block(_ index: Int, _ reason: String) throws {
        try reset(index)
        lanes[index].block = (reason, .now + Self.blockedInterval)
        try send(.failed(what: "stream \(lanes[index].stream.name)", reason: reason, sources: []))
    }

    private func reset(_ index: Int) throws {
        lanes[index].reset()
        let held = sources.values.filter { $0.lane == index }.map(\.id)
        try unassign(held)
        for id in held { sources[id]!.taken = sources[id]!.ledger.to }
    }

    /// What was under way may have been committed or not: the stored positions tell when Postgres is back.
    func loseSession(_ error: PostgresError) throws {
        session = nil
        for index in lanes.indices { try reset(index) }
        connectFailures += 1
        isRefused = error.disposition != .outage
        let ceiling = isRefused ? 60.0 : min(Self.longestBackoff, 0.1 * Double(1 << min(connectFailures, 10)))
        nextConnect = .now + .seconds(isRefused ? ceiling : Double.random(in: 0.02...ceiling))
        if connectFailures == 1 || isRefused {
            try send(.failed(what: "postgres", reason: error.description, sources: []))
        }
    }
}
