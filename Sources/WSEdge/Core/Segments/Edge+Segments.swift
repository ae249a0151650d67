import Common
import Feed
import Postgres
import WebServer

/// `GET /v1/streams/S/log`, and the segments that it is made of: the same for all who ask, so that any HTTP cache serves them.
extension Edge {
    func sendLogIndex(_ exchange: HTTPExchange) {
        do throws(RequestError) {
            let (stored, audience) = try readableLog(exchange)
            try share(.init(stored: stored, audience: audience, what: .index), exchange)
        } catch {
            refuse(exchange, error)
        }
    }

    /// With `live=true` one behind which there are no rows yet waits for them.
    func sendSegment(_ exchange: HTTPExchange) {
        do throws(RequestError) {
            let (stored, audience) = try readableLog(exchange)
            let address = try SegmentAddress(exchange.request)
            let key = LogAnswers.Key(stored: stored, audience: audience, what: .segment(address))
            guard exchange.request.query["live"] == "true", isAtEnd(address, stored), drainDeadline == nil,
                logs.waitingCount < limits.connections
            else { return try share(key, exchange) }
            logs.wait(
                .init(exchange: exchange, key: key, address: address, until: .now + .seconds(EdgeLimits.pollSeconds)))
        } catch {
            refuse(exchange, error)
        }
    }

    private func readableLog(_ exchange: HTTPExchange) throws(RequestError) -> (StoredStream, LogAudience) {
        counters.update { $0.logRequests += 1 }
        let name = exchange.request.parameters[0]
        let access = try authorize(exchange, .subscribe, name)
        guard let stored = stored[name] else { throw unknownStream(name) }
        guard !stored.stream.isKeyed else {
            throw RequestError(code: "unsupported", message: "\(name) is a table of one row a key, which has no log")
        }
        let filter = try mandatoryFilter(access, stored.stream)
        guard filter.isEmpty else { return (stored, .some(filter)) }
        return (stored, self.access.policy.allows(.subscribe, stored.stream, role: nil) ? .anyone : .readers)
    }

    private func refuse(_ exchange: HTTPExchange, _ error: RequestError) { exchange.respond(Self.logRefusal(error)) }

    /// Caches may keep some refusals of which they are not told how long they count (RFC 9111, section 4.2.2).
    private static func logRefusal(_ error: RequestError) -> HTTPResponse {
        var response = refusal(error)
        response.headers["cache-control"] = "no-store"
        return response
    }

    // MARK: Reading

    /// Reads for all who ask meanwhile.
    private func share(_ key: LogAnswers.Key, _ exchange: HTTPExchange) throws(RequestError) {
        guard logs.isBeingRead(key) || pages.count + logs.readingCount < limits.pages else {
            throw RequestError(code: "overloaded", message: "too many ask for rows now", retryAfter: 1000)
        }
        guard logs.ask(key, exchange) else { return }
        pageThreads.ask { [inbox] readers in
            let result = Result { () throws(PostgresError) in try Self.read(key, readers[key.stored]) }
            inbox.put(.log(key, result))
        }
    }

    private static func read(_ key: LogAnswers.Key, _ reader: ReplayReader) throws(PostgresError) -> HTTPResponse {
        let (stream, state) = (key.stored.stream, try reader.readableState())
        let version = LogVersion(epoch: state.epoch, stream)
        switch key.what {
        case .index: return LogText.index(state, version, key.audience)
        case .segment(let address):
            guard address.version == version else {
                return logRefusal(.gone("offsets or columns of \(stream.name) are others now"))
            }
            guard let source = state.sources[address.source] else {
                return logRefusal(
                    RequestError(code: "not_found", message: "\(stream.name) has no source \(address.source)"))
            }
            let deleted = RequestError.gone("rows of \(stream.name) before offset \(source.retainedFrom) were deleted")
            guard address.from >= source.retainedFrom || source.retainedFrom <= source.start else {
                return logRefusal(deleted)
            }
            let segment = try reader.segment(
                address.source, from: address.from, head: source.next, key.audience.filter)
            return segment.map { LogText.segment($0, key.audience) } ?? logRefusal(deleted)
        }
    }

    func answerLog(_ key: LogAnswers.Key, _ result: Result<HTTPResponse, PostgresError>) {
        let response: HTTPResponse
        switch result {
        case .success(let read): response = read
        case .failure(let error):
            Log.standard.say("rows can't be read: \(error)", .warning)
            response = Self.logRefusal(
                error.isLasting
                    ? .unreadable(key.stored.stream.name, error)
                    : RequestError(code: "unavailable", message: "rows can't be read now", retryAfter: 1000))
        }
        for exchange in logs.answered(key) { answer(exchange, response) }
    }

    private func answer(_ exchange: HTTPExchange, _ response: HTTPResponse) {
        exchange.respond(response.matches(exchange.request.ifNoneMatch) ? response.unchanged : response)
    }

    // MARK: Waiting for rows

    /// As far as this edge knows; who is wrong is told when it is read.
    private func isAtEnd(_ address: SegmentAddress, _ stored: StoredStream) -> Bool {
        guard let feed = streams[stored.stream.name],
            LogVersion(epoch: feed.opening.epoch, stored.stream) == address.version,
            let next = feed.position[address.source]
        else { return false }
        return next <= address.from
    }

    /// Whoever waits for rows that have come gets them from memory.
    func logMoved(_ feed: StreamFeed, to position: [SourceID: Int64]) {
        var known: [LogAnswers.Key: HTTPResponse] = [:]
        for one in logs.moved(feed.stream.name, to: position) {
            if let response = known[one.key] ?? newest(one, feed) {
                known[one.key] = response
                answer(one.exchange, response)
            } else {
                readAgain([one])
            }
        }
    }

    /// What of the rows in memory is a segment's; nil where they don't tell it.
    private func newest(_ one: LogAnswers.Waiting, _ feed: StreamFeed) -> HTTPResponse? {
        let (address, audience) = (one.address, one.key.audience)
        guard LogVersion(epoch: feed.opening.epoch, feed.stream) == address.version,
            let head = feed.position[address.source]
        else { return nil }
        var rows = LogSegmentRows(from: address.from, RowChooser(audience.filter, feed.stream))
        let end = LogSegment.end(from: address.from)
        let reachesBack = feed.log.ring.forEachRow(of: address.source, from: address.from) { row in
            rows.add(row)
            return !rows.isFull && row.offset + 1 < end
        }
        // What lies behind a hole has to be looked for.
        guard reachesBack, !rows.isEmpty || head < end else { return nil }
        return LogText.segment(rows.segment(head: head, following: nil), audience)
    }

    func logBegan(_ stream: String) { readAgain(logs.began(stream)) }

    private func readAgain(_ waiting: [LogAnswers.Waiting]) {
        for one in waiting {
            do throws(RequestError) { try share(one.key, one.exchange) } catch { refuse(one.exchange, error) }
        }
    }

    /// Those for whom nothing came.
    ///
    /// - Parameter isEnding: nobody waits any longer.
    func endLogWaits(isEnding: Bool = false) {
        for one in logs.due(at: isEnding ? .now + .seconds(EdgeLimits.pollSeconds) : .now) {
            let empty = LogSegment(rows: [], next: one.address.from, isComplete: false)
            answer(one.exchange, LogText.segment(empty, one.key.audience))
        }
    }
}

extension RequestError {
    fileprivate static func gone(_ message: String) -> RequestError { RequestError(code: "gone", message: message) }
}
