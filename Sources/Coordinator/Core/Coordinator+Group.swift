private import CLinux
import Common
import Kafka
import ZeroMQ

/// What the loop does as one of a group.
extension Coordinator {
    /// Those that this coordinator's workers may have. A stream's dead letters that are to be replayed are with its first partition.
    func isShared(_ entry: SourceRegistry.Entry) -> Bool {
        guard let share = shareHolder?.share.partitions else { return true }
        guard ReplaySource.isOne(topic: entry.partition.topic) else { return share.contains(entry.partition) }
        let first = entries.values.filter {
            $0.stream == entry.stream && !ReplaySource.isOne(topic: $0.partition.topic)
        }.map(\.partition).min()
        return first.map(share.contains) ?? false
    }

    /// At each turn.
    func serveGroup() {
        guard let shareHolder else { return }
        let events = shareHolder.take()
        for event in events {
            switch event {
            case .assigned(let partitions):
                groupFailure = nil
                if !partitions.isEmpty { report("group: given \(Self.list(partitions))") }
            case .revoked(let partitions): report("group: to give back \(Self.list(partitions))")
            case .lost(let partitions):
                guard !partitions.isEmpty else { continue }
                // With the session all are lost, with a topic that is gone its own.
                guard shareHolder.share.partitions.isEmpty else {
                    notice("group: gone are \(Self.list(partitions))")
                    continue
                }
                notice("group: the session is over; others have \(Self.list(partitions)) now")
                // Their connections are as old as the outage, and TCP would take as long again to find out that it is over.
                perform(fleet.restart(fleet.shards.keys.sorted(), rolling: false, at: .now))
            case .failed(let error): failed(error)
            case .astray(let error): astray(error)
            }
        }
        do throws(KafkaError) {
            // Without workers others shall have the partitions.
            try shareHolder.takePart((stopping == nil || stopping == .producers) && !fleet.isDrained)
            if stopping == nil { try shareHolder.mirror(positions, at: .now) }
        } catch {
            failed(error)
        }
        if shareHolder.letGo() || !events.isEmpty { assign() }
        do throws(KafkaError) { try shareHolder.giveBack(held: heldPartitions) } catch { astray(error) }
    }

    /// Workers are gone: what the group has not been told by then, stands still for the session's time.
    func leaveGroup() throws {
        guard let shareHolder, refusal == nil else { return }
        let deadline = ContinuousClock.now + Self.leaveLimit
        while !shareHolder.isAway, .now < deadline {
            serveGroup()
            var poller = Poller()
            poller.add(descriptor: shareHolder.descriptor, .read)
            try poller.wait(min(deadline, shareHolder.nextWake) - .now)
        }
    }

    private static let leaveLimit = Duration.seconds(2)

    /// Somebody on another host may have paused something, or found it.
    func hear(_ others: HeardMembers) {
        let former = Dictionary(members.map { ($0.name, $0) }) { $1 }
        members = others.members.map { $0.after(former[$0.name]) }
        claimedElsewhere = (others.claimed, others.asOf)
        roll()
        // Also of those that are not heard any more: their edges live on.
        let clients = members.compactMap(\.report).flatMap(\.clients)
        remote?.others = Set(clients.compactMap { try? CurvePublicKey($0) })
        guard others.sources != knownSources else { return }
        knownSources = others.sources
        discovery.ask(.rediscover(answer: nil))
    }

    /// Whether no worker of the group writes them any more, as the database knows: what others say of themselves is as old as they
    /// like.
    func isFreeElsewhere(_ sources: [SourceID], since moment: ContinuousClock.Instant) -> Bool {
        guard configuration.group != nil else { return true }
        guard let claimedElsewhere, claimedElsewhere.asOf > moment else { return false }
        return claimedElsewhere.sources.isDisjoint(with: sources)
    }

    // MARK: Other hosts

    static func refusal(_ request: MemberRequest) -> CommandReply? {
        guard case .scale(let count) = request, !(0...1000).contains(count) else { return nil }
        return .refused("shards must be 0 to 1000, not \(count)")
    }

    /// - Parameter host: nil: all of the group, this one too.
    func ask(_ host: String?, _ request: MemberRequest, by: String) -> CommandReply {
        guard let own = configuration.group?.member else {
            return .refused("this fleet has one host: it was not started with --group")
        }
        let known = ([own] + heard.keys).sorted()
        let wanted = host.map { [$0] } ?? known
        let foreign = members.filter { $0.isHeard && $0.report == nil && (host ?? $0.name) == $0.name }.map(\.name)
        guard foreign.isEmpty else {
            return .refused("of another version, and not asked: \(foreign.joined(separator: ", ")); ask there")
        }
        if let host, !known.contains(host) {
            return .refused("no host \(host) is heard; there are: \(known.joined(separator: ", "))")
        }
        if let refusal = Self.refusal(request) { return refusal }
        let (action, detail) =
            switch request {
            case .scale(let shards): ("scale", "\(shards)")
            case .restart(let isRolling): ("restart", isRolling ? "rolling" : "all")
            }
        discovery.ask(.audit(action: action, by: by, detail: "\(detail) on \(wanted.joined(separator: ", "))"))
        if case .restart(rolling: true) = request {
            hostRoll.begin(wanted)
            roll()
        } else {
            ask(wanted, request)
        }
        return .done
    }

    private func ask(_ names: [String], _ request: MemberRequest) {
        let others = names.filter { $0 != configuration.group?.member }
        if others.count < names.count { perform(request) }
        if !others.isEmpty { discovery.ask(.askMembers(others, request)) }
    }

    /// What was asked of this host.
    func perform(_ request: MemberRequest) {
        if case .refused(let why)? = Self.refusal(request) { return notice(why) }
        switch request {
        case .scale(let count):
            do throws(StartError) { try scale.keep(count) } catch { notice("scale: \(error)") }
            perform(fleet.scale(to: count, at: .now))
        case .restart(let isRolling):
            perform(fleet.restart(fleet.shards.keys.sorted(), rolling: isRolling, at: .now))
        }
    }

    /// The next host's turn, when the one before is whole again.
    private func roll() {
        guard !hostRoll.isOver, let own = configuration.group?.member else { return }
        var standings = heard.mapValues { HostRoll.Standing(life: $0.life, completed: $0.completedRolls) }
        standings[own] = .init(life: life, completed: fleet.completedRolls)
        for step in hostRoll.next(standings, at: .now) {
            switch step {
            case .restart(let name): ask([name], .restart(rolling: true))
            case .giveUp(let name):
                notice("restart: host \(name) has not restarted its workers in \(HostRoll.limit); the next one's turn")
            }
        }
    }

    /// An outage is told by the workers, and ends by itself.
    private func failed(_ error: KafkaError) {
        guard !error.isRetriable, groupFailure != error.description else { return }
        groupFailure = error.description
        notice("group: \(error)")
        guard error.isFatal, stopping == nil, let plan = configuration.group else { return }
        refuse(
            StartError(
                "group \(plan.name): another coordinator has joined as \(plan.member); give each a name of its own: --member",
                .unavailable))
    }

    /// The group and this member do not agree about what it has: it has to begin anew, as somebody will see to.
    private func astray(_ error: KafkaError) {
        guard refusal == nil else { return }
        groupFailure = error.description
        notice("group: \(error)")
        refuse(StartError("group: \(error); to be started anew", .unavailable))
    }

    private static func list(_ partitions: [TopicPartition]) -> String {
        let names = partitions.sorted().prefix(8).map(\.description).joined(separator: ", ")
        return partitions.count > 8 ? "\(partitions.count) partitions (\(names), …)" : names
    }

    private var heldPartitions: Set<TopicPartition> {
        Set(fleet.heldSources.compactMap { entries[$0]?.partition })
    }

    private var positions: [TopicPartition: Int64] {
        var positions: [TopicPartition: Int64] = [:]
        for source in fleet.shards.values.compactMap(\.progress).flatMap(\.sources) {
            guard let entry = entries[source.id], !ReplaySource.isOne(topic: entry.partition.topic) else { continue }
            positions[entry.partition] = source.nextOffset
        }
        return positions
    }

    // MARK: Status

    /// For the others.
    func tellGroup(_ status: StatusReport) {
        guard let membership else { return }
        var report = MemberReport(status)
        if let remote {
            report.control = Self.reachable(remote.endpoint, at: configuration.advertisedHost)
            report.server = remote.serverKey.text
            report.clients = remote.ownClients.map(\.text)
        }
        if let edgeKeys { report.clients.append(edgeKeys.publicKey.text) }
        report.feeds = remoteFeeds
        report.life = life
        report.completedRolls = fleet.completedRolls
        membership.say(report, ownsSchema: ownsSchema)
    }

    /// What listens everywhere is reached where the feeds are.
    static func reachable(_ endpoint: String, at host: String?) -> String {
        guard let host, let parts = endpoint.wholeMatch(of: /tcp:\/\/(0\.0\.0\.0|\[::\]|\*):(\d+)/) else {
            return endpoint
        }
        return "tcp://\(host):\(parts.2)"
    }

    /// By host.
    private var heard: [String: MemberReport] {
        var heard: [String: MemberReport] = [:]
        for member in members where member.isHeard { heard[member.name] = member.report }
        return heard
    }

    var feedsElsewhere: [EdgeConfiguration.Feed] { heard.values.flatMap(\.feeds) }

    var controlsElsewhere: [EdgeConfiguration.Control] {
        heard.values.compactMap { report in
            guard let endpoint = report.control, let server = report.server else { return nil }
            return .init(endpoint: endpoint, server: server)
        }
    }

    /// What the others' workers have, as far as they were heard of late.
    var sourcesElsewhere: [SourceID: StatusReport.Source] {
        var sources: [SourceID: StatusReport.Source] = [:]
        for (name, report) in heard {
            for var source in report.sources {
                source.host = name
                sources[source.id] = source
            }
        }
        return sources
    }

    /// The whole fleet: all hosts' shards and rates, and what is wrong elsewhere.
    func addMembers(to report: inout StatusReport) {
        guard let plan = configuration.group else { return }
        report.host = plan.member
        // One that is dead has said that it owns the schema, and says nothing else: who said so last does.
        let owner = ownsSchema ? plan.member : members.filter(\.ownsSchema).min { $0.silence < $1.silence }?.name
        let own = StatusReport.Host(plan.member, ownsSchema: ownsSchema, silence: 0, report.shards)
        let others = members.map {
            StatusReport.Host($0.name, ownsSchema: $0.name == owner, silence: $0.silence, $0.report?.shards ?? [])
        }
        report.hosts = ([own] + others).sorted { $0.name < $1.name }
        for index in report.shards.indices { report.shards[index].host = plan.member }
        for index in report.sources.indices where report.sources[index].shard != nil {
            report.sources[index].host = report.sources[index].host ?? plan.member
        }
        for member in members { add(member, to: &report) }
        report.shards.sort { ($0.host ?? "", $0.id) < ($1.host ?? "", $1.id) }
        report.healthy = report.problems.isEmpty
    }

    private func add(_ member: Member, to report: inout StatusReport) {
        guard member.isHeard else {
            report.problems.append("host \(member.name) has said nothing for \(Int(member.silence)) s")
            return
        }
        guard let other = member.report else {
            report.problems.append(
                "host \(member.name) is of another version (its schema is \(member.version)): what it has is not shown, and "
                    + "its rows come to edges from Postgres, a few seconds late")
            return
        }
        report.problems += other.problems.map { "host \(member.name): \($0)" }
        for var shard in other.shards {
            shard.host = member.name
            report.shards.append(shard)
        }
        report.edges += other.edges
        for stream in other.streams {
            guard let index = report.streams.firstIndex(where: { $0.name == stream.name }) else { continue }
            report.streams[index].rows += stream.rows
            report.streams[index].deadLetters += stream.deadLetters
            report.streams[index].rowsPerSecond += stream.rowsPerSecond
        }
    }
}

extension StatusReport.Host {
    fileprivate init(_ name: String, ownsSchema: Bool, silence: Double, _ shards: [StatusReport.Shard]) {
        self.init(
            name: name, ownsSchema: ownsSchema, silence: silence, shards: shards.count,
            partitions: shards.map(\.sources.count).reduce(0, +),
            rowsPerSecond: shards.map(\.rowsPerSecond).reduce(0, +))
    }
}
