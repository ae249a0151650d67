import Common
import ZeroMQ

/// What workers and commands say to the coordinator, and what they are answered.
extension Coordinator {
    /// What is no message of ours is counted and dropped.
    func handle(_ parts: [[UInt8]]) throws {
        guard parts.count == 2 else { return droppedFrames += 1 }
        let name = String(decoding: parts[0], as: UTF8.self)
        if let worker = WorkerIdentity(name) {
            guard let message = ControlEnvelope<WorkerMessage>.decode(parts[1]) else { return droppedFrames += 1 }
            // One of an earlier coordinator that is on its way out has nothing to say here.
            guard workers[worker.shard]?.pid == worker.pid else { return }
            handle(message, from: worker.shard)
        } else if let request = ControlEnvelope<CommandRequest>.decode(parts[1]) {
            if let reply = serve(request, from: parts[0]) { try answer(parts[0], reply) }
        } else if case .report(let edge)? = ControlEnvelope<EdgeMessage>.decode(parts[1]) {
            edges.heard(edge, route: parts[0], at: .now)
            _ = try control.send([parts[0], try encode(localEdgeConfiguration)])
        } else {
            droppedFrames += 1
        }
    }

    func answer(_ identity: [UInt8], _ reply: CommandReply) throws {
        // Who asked may have gone: then nobody wants to know.
        _ = try control.send([identity, try ControlEnvelope.encode(reply)])
    }

    /// A pause is done when nobody writes what it is about any more.
    func answerPaused() throws {
        guard !pausing.isEmpty else { return }
        let held = Set(fleet.shards.keys.flatMap { fleet.sources(of: $0) })
        for pause in pausing where held.isDisjoint(with: pause.sources) { try answer(pause.identity, .done) }
        pausing.removeAll { held.isDisjoint(with: $0.sources) }
        for pause in pausing where pause.deadline <= .now {
            try answer(pause.identity, .refused("paused, but its worker has not given it back yet: coordinator status"))
        }
        pausing.removeAll { $0.deadline <= .now }
    }

    /// What those on other hosts may ask; nil for what is nothing of ours.
    func answerRemote(_ frame: [UInt8]) throws -> [UInt8]? {
        if let request = ControlEnvelope<CommandRequest>.decode(frame) {
            return try ControlEnvelope.encode(
                request == .status
                    ? CommandReply.status(status()) : .refused("from another host a fleet can only be looked at"))
        }
        guard case .report(let edge)? = ControlEnvelope<EdgeMessage>.decode(frame) else { return nil }
        edges.heard(edge, route: nil, at: .now)
        let feeds = fleet.shards.sorted { $0.key < $1.key }.compactMap { shard, state in
            state.progress?.remoteFeed.map { EdgeConfiguration.Feed(shard: shard, endpoint: $0) }
        }
        return try encode(
            .init(
                streams: configuration.streams, schema: configuration.schema, feeds: feeds,
                issuers: configuration.issuers))
    }

    private var localFeeds: [EdgeConfiguration.Feed] {
        workers.values.map(\.identity).sorted { $0.shard < $1.shard }.map {
            .init(shard: $0.shard, endpoint: folder.feedEndpoint($0))
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
        .init(
            streams: configuration.streams, schema: configuration.schema, feeds: localFeeds,
            kafka: configuration.kafka, postgres: configuration.postgres, tokenKeys: currentTokenKeys(),
            issuers: configuration.issuers)
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
            guard (0...1000).contains(count) else { return .refused("shards must be 0 to 1000, not \(count)") }
            do throws(StartError) { try scale.keep(count) } catch { notice("scale: \(error)") }
            discovery.ask(.audit(action: "scale", by: by, detail: String(count)))
            perform(fleet.scale(to: count, at: .now))
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
