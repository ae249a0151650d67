import Common
import ZeroMQ

/// What workers and commands say to the coordinator, and what they are answered.
extension Coordinator {
    /// What somebody who is no worker says.
    private enum Asked {
        case command(CommandRequest)
        case edge(EdgeReport)
        case foreign(ForeignMessage)

        init(_ frame: [UInt8]) {
            do throws(ForeignMessage) {
                if let command = try? ControlEnvelope<CommandRequest>.decode(frame) {
                    self = .command(command)
                } else {
                    switch try ControlEnvelope<EdgeMessage>.decode(frame) {
                    case .report(let edge): self = .edge(edge)
                    }
                }
            } catch {
                self = .foreign(error)
            }
        }
    }

    /// Whoever says what this program can't read is told so; what is no message of ours is counted and dropped.
    func handle(_ parts: [[UInt8]]) throws {
        guard parts.count == 2 else { return droppedFrames += 1 }
        let name = String(decoding: parts[0], as: UTF8.self)
        if let worker = WorkerIdentity(name) { return handle(parts[1], from: worker) }
        switch Asked(parts[1]) {
        case .command(let request): if let reply = serve(request, from: parts[0]) { try answer(parts[0], reply) }
        case .edge(let edge):
            edges.heard(edge, route: parts[0], at: .now)
            _ = try control.send([parts[0], try encode(localEdgeConfiguration)])
        case .foreign(.noise): droppedFrames += 1
        case .foreign(let message): try answer(parts[0], Self.refusal(message))
        }
    }

    private func handle(_ frame: [UInt8], from worker: WorkerIdentity) {
        // One of an earlier coordinator that is on its way out has nothing to say here.
        guard workers[worker.shard]?.pid == worker.pid else { return }
        do throws(ForeignMessage) {
            handle(try ControlEnvelope<WorkerMessage>.decode(frame), from: worker.shard)
        } catch {
            droppedFrames += 1
            // The same program is started for every shard.
            guard foreignMessage != error else { return }
            foreignMessage = error
            notice("shard \(worker.shard) says \(error): start the coordinator anew", shard: worker.shard)
        }
    }

    private static func refusal(_ message: ForeignMessage) -> CommandReply {
        .refused("to this coordinator that is \(message); run programs of one version")
    }

    func answer(_ identity: [UInt8], _ reply: CommandReply) throws {
        // Who asked may have gone: then nobody wants to know.
        _ = try control.send([identity, try ControlEnvelope.encode(reply)])
    }

    /// A pause is done when nobody writes what it is about any more.
    func answerPaused() throws {
        guard !pausing.isEmpty else { return }
        let held = fleet.heldSources
        func isDone(_ pause: Pausing) -> Bool {
            held.isDisjoint(with: pause.sources) && isFreeElsewhere(pause.sources, since: pause.since)
        }
        for pause in pausing where isDone(pause) { try answer(pause.identity, .done) }
        pausing.removeAll(where: isDone)
        for pause in pausing where pause.deadline <= .now {
            try answer(pause.identity, .refused("paused, but its worker has not given it back yet: coordinator status"))
        }
        pausing.removeAll { $0.deadline <= .now }
    }

    /// What those on other hosts may ask; nil for what is nothing of ours.
    func answerRemote(_ frame: [UInt8]) throws -> [UInt8]? {
        switch Asked(frame) {
        case .command(let request):
            return try ControlEnvelope.encode(
                request == .status
                    ? CommandReply.status(status()) : .refused("from another host a fleet can only be looked at"))
        case .edge(let edge):
            edges.heard(edge, route: nil, at: .now)
            var known = EdgeConfiguration(
                streams: configuration.streams, schema: configuration.schema, feeds: remoteFeeds + feedsElsewhere,
                issuers: configuration.issuers)
            known.controls = controlsElsewhere
            return try encode(known)
        case .foreign(.noise): return nil
        case .foreign(let message): return try ControlEnvelope.encode(Self.refusal(message))
        }
    }

    /// Of this coordinator's workers, as those on other hosts reach them.
    var remoteFeeds: [EdgeConfiguration.Feed] {
        fleet.shards.sorted { $0.key < $1.key }.compactMap { shard, state in
            state.progress?.remoteFeed.map {
                EdgeConfiguration.Feed(
                    host: configuration.group?.member, shard: shard, endpoint: $0, server: remote?.serverKey.text)
            }
        }
    }

    private var localFeeds: [EdgeConfiguration.Feed] {
        workers.values.map(\.identity).sorted { $0.shard < $1.shard }.map {
            .init(host: configuration.group?.member, shard: $0.shard, endpoint: folder.feedEndpoint($0))
        }
    }

    /// There is another worker: its feed is another one. They would ask within a second, but rows come sooner.
    func tellEdges() throws {
        guard !edges.routes.isEmpty else { return }
        let frame = try encode(localEdgeConfiguration)
        // One that is gone is no concern.
        for route in edges.routes { _ = try control.send([route, frame]) }
    }

    /// With the fleet's connections: only for the socket in the runtime folder.
    private var localEdgeConfiguration: EdgeConfiguration {
        var edge = EdgeConfiguration(
            streams: configuration.streams, schema: configuration.schema, feeds: localFeeds + feedsElsewhere,
            kafka: configuration.kafka, postgres: configuration.postgres, tokenKeys: currentTokenKeys(),
            issuers: configuration.issuers)
        edge.secretKey = edgeKeys?.secretKey.text
        return edge
    }

    private func currentTokenKeys() -> String? {
        let before = tokenKeys.failure
        let text = tokenKeys.text(at: .now)
        if let failure = tokenKeys.failure, failure != before { notice(failure) }
        return text
    }

    private func encode(_ edge: EdgeConfiguration) throws -> [UInt8] {
        try ControlEnvelope.encode(EdgeReply.configure(edge))
    }

    private func handle(_ message: WorkerMessage, from shard: Int32) {
        let now = ContinuousClock.now
        switch message {
        case .hello(_, let pid, _): perform(fleet.hello(shard, pid: pid, at: now))
        case .heartbeat(let progress):
            counters.heartbeat(shard, progress, at: now)
            pauseTripped(progress)
            perform(fleet.heartbeat(shard, progress, at: now))
        case .released(let sources): perform(fleet.released(shard, sources, at: now))
        case .failed(let what, let reason, let sources):
            notice("shard \(shard): \(what): \(reason)", shard: shard)
            if what == "claim" { fleet.lost(shard, sources) }
            if what == "offset" { for source in sources { discovery.ask(.stop(source, because: reason)) } }
            // The topic may be another one now.
            if what == "source" || what == "offset" { discovery.ask(.rediscover(answer: nil)) }
        }
    }

    /// One worker's breaker pauses the stream for all.
    private func pauseTripped(_ progress: WorkerProgress) {
        for stream in progress.streams {
            guard let reason = stream.tripped, tripped.insert(stream.name).inserted else { continue }
            notice("stream \(stream.name) is paused: \(reason); look at them, then: coordinator resume \(stream.name)")
            discovery.ask(.pause(PauseTarget(name: stream.name), by: "breaker: \(reason)", answer: nil))
        }
    }

    /// Nil when the answer comes later.
    private func serve(_ request: CommandRequest, from identity: [UInt8]) -> CommandReply? {
        switch request {
        case .status: return .status(status())
        case .connections: return .connections(kafka: configuration.kafka, postgres: configuration.postgres)
        case .feeds:
            var feeds = localEdgeConfiguration
            // Who follows them signs nothing.
            feeds.tokenKeys = nil
            return .feeds(feeds)
        case .scale(let count, let by):
            if let refusal = Self.refusal(.scale(shards: count)) { return refusal }
            discovery.ask(.audit(action: "scale", by: by, detail: String(count)))
            perform(MemberRequest.scale(shards: count))
        case .members(let host, let request, let by): return ask(host, request, by: by)
        case .restart(let shard, let rolling, let by):
            let known = fleet.shards.keys.sorted()
            if let shard, !known.contains(shard) { return .refused("there is no shard \(shard)") }
            discovery.ask(.audit(action: "restart", by: by, detail: shard.map(String.init) ?? "all"))
            perform(fleet.restart(shard.map { [$0] } ?? known, rolling: rolling, at: .now))
        case .pause(let target, let by):
            discovery.ask(.pause(target, by: "operator \(by)", answer: identity))
            return nil
        case .resume(let target, let by):
            discovery.ask(.resume(target, by: by, answer: identity))
            return nil
        case .rediscover:
            discovery.ask(.rediscover(answer: identity))
            return nil
        case .stop: stop()
        }
        return .done
    }
}
