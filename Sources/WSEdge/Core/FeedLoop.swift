import Accounts
private import CLinux
import Common
import Feed
import Foundation
import Postgres
import Schema
import ZeroMQ

/// The edge's other thread: asks the coordinator where the feeds are, follows them, and hands on what is committed.
final class FeedLoop {
    private let settings: EdgeSettings
    private let address: String
    private let inbox: EdgeInbox
    private let counters: EdgeCounters
    private let signals: Int32
    private let context = Context()
    private let id = UUIDValue.random().description
    private var controls: ControlAddresses
    private var control: Socket
    /// For feeds of other hosts, as a coordinator on this machine tells it.
    private var ownKeys: CurveKeyPair?
    private var answeredAt = ContinuousClock.now
    /// Why a coordinator's last answer was none, as it was said.
    private var toldRefusal: String?
    private var nextReport = ContinuousClock.now
    private var subscriptions: [String: FeedSubscription] = [:]
    private let threads = ReaderThreads(2, name: "feed reading")
    private let answers: FeedAnswers
    /// Tells openings of a stream apart.
    private var numbers: [String: Int] = [:]
    private var nextNumber = 1
    /// What the server's thread was told.
    private var told: (streams: [StoredStream], kafka: [String: String])?
    private var toldForeign: Set<String> = []
    private var toldAccess: AccessEvent.Configuration?
    private var sourceCounts: [String: Int] = [:]
    /// What keeps a stream's rows from being read, by its name, as it was last said.
    private var failures: [String: String] = [:]

    private static let reportInterval = Duration.seconds(1)
    private static let retryInterval = Duration.milliseconds(500)
    /// What somebody has to mend first is looked at again so often.
    private static let mendInterval = Duration.seconds(10)
    /// A coordinator that doesn't answer for so long may have refused us: then a socket does not try again.
    private static let silenceLimit = Duration.seconds(5)

    /// - Parameter signals: blocked in this process; readable when it shall end.
    init(
        _ settings: EdgeSettings, address: String, signals: Int32, _ inbox: EdgeInbox, _ counters: EdgeCounters
    ) throws {
        self.settings = settings
        self.address = address
        self.signals = signals
        self.inbox = inbox
        self.counters = counters
        answers = try FeedAnswers()
        controls = ControlAddresses(settings)
        control = try controls.connect(in: context)
    }

    /// Until a signal.
    func run() throws {
        while true {
            var poller = Poller()
            poller.add(control)
            for subscription in subscriptions.values { subscription.add(to: &poller) }
            let signal = poller.add(descriptor: signals, .read)
            let parent = settings.isSupervised ? poller.add(descriptor: STDIN_FILENO, .read) : nil
            poller.add(descriptor: answers.descriptor, .read)
            try poller.wait(max(.zero, nextReport - .now))
            // Nobody writes there: it has ended, and with it whoever watches over this process.
            let isAlone = parent.map { !poller.events($0).isEmpty } ?? false
            if isAlone { return inbox.put(.drain) }
            if !poller.events(signal).isEmpty {
                guard takeSignal() == SIGHUP else { return inbox.put(.drain) }
                inbox.put(.certificates)
            }
            let now = ContinuousClock.now
            while let parts = try control.receive() {
                if parts.count == 1 { try take(parts[0], now) }
            }
            for (name, subscription) in subscriptions {
                try subscription.receive(at: now) { deliver(name, $0) }
                if let version = subscription.foreignVersion { tellForeign(name, version) }
            }
            for (stored, result) in answers.takeAll() { take(stored, result, now) }
            askPostgres(now)
            if nextReport <= now { try report(now) }
        }
    }

    /// An answer of the coordinator's. One that refuses, or can't be read, is none: in a group another may do better.
    private func take(_ frame: [UInt8], _ now: ContinuousClock.Instant) throws {
        let reply: EdgeReply
        do throws(ForeignMessage) {
            reply = try ControlEnvelope.decode(frame)
        } catch {
            return tellRefusal("answers with \(error)")
        }
        switch reply {
        case .configure(let new):
            (answeredAt, toldRefusal) = (now, nil)
            try configure(new, now)
        case .refused(let reason): tellRefusal("refuses: \(reason)")
        }
    }

    private func tellRefusal(_ text: String) {
        guard toldRefusal != text else { return }
        toldRefusal = text
        Log.standard.say("a coordinator \(text)", .warning)
    }

    /// Once a stream.
    private func tellForeign(_ stream: String, _ version: UInt8) {
        guard toldForeign.insert(stream).inserted else { return }
        Log.standard.say(
            "a worker publishes rows of \(stream) in version \(version) of the feed, and this edge reads \(FeedMessage.version): "
                + "they come from Postgres, a few seconds late; run workers and edges of one version", .warning)
    }

    private func takeSignal() -> Int32 {
        var taken = signalfd_siginfo()
        _ = read(signals, &taken, MemoryLayout<signalfd_siginfo>.size)
        return Int32(taken.ssi_signo)
    }

    private func report(_ now: ContinuousClock.Instant) throws {
        nextReport = now + Self.reportInterval
        if now - answeredAt > Self.silenceLimit {
            answeredAt = now
            controls.goOn()
            control = try controls.connect(in: context)
        }
        var report = EdgeReport(id: id, pid: getpid(), address: address)
        let values = counters.now
        (report.clients, report.messages, report.slowClients) = (values.clients, values.messages, values.slowClients)
        _ = try control.send([try ControlEnvelope.encode(EdgeMessage.report(report))])
        let feeds = subscriptions.mapValues { EdgeCounters.Feed(repairs: $0.repairCount, lag: $0.lag) }
        counters.update { $0.feeds = feeds }
        inbox.put(.health(isHeard: subscriptions.values.contains { $0.isHeard(at: now) }))
    }

    /// Streams that are new or defined otherwise are followed from now on.
    private func configure(_ new: EdgeConfiguration, _ now: ContinuousClock.Instant) throws {
        let schema = MillraceSchema(name: new.schema)
        // Where the fleet's are counts only for an edge that was told nothing else.
        let database = settings.database.isEmpty ? new.postgres ?? [:] : settings.database
        let kafka = settings.kafka.isEmpty ? new.kafka ?? [:] : settings.kafka
        let streams = new.streams.map { StoredStream($0, schema: schema, database: database) }
        if told?.streams != streams || told?.kafka != kafka {
            told = (streams, kafka)
            inbox.put(.configured(streams, kafka: kafka))
        }
        let access = AccessEvent.Configuration(
            // Those of another version are no keys here: then nobody signs in, and rows flow.
            keys: settings.tokenKeys ?? new.tokenKeys.flatMap { try? TokenKeys(text: $0) },
            issuers: new.issuers ?? [], place: .init(schema: schema, database: database))
        if toldAccess != access {
            toldAccess = access
            inbox.put(.access(.configured(access)))
        }
        for stored in streams where subscriptions[stored.stream.name]?.stored != stored {
            subscriptions[stored.stream.name] = FeedSubscription(
                stored, credentials: settings.credentials, in: context)
        }
        for name in subscriptions.keys where !streams.contains(where: { $0.stream.name == name }) {
            (subscriptions[name], failures[name]) = (nil, nil)
        }
        controls.learn(new.controls ?? [])
        if let text = new.secretKey, text != ownKeys?.secretKey.text {
            ownKeys = try CurveKeyPair(secretKey: CurveSecretKey(text))
        }
        for subscription in subscriptions.values { try subscription.connect(new.feeds, own: ownKeys, at: now) }
    }

    /// What Postgres has to be asked for. Whether it answers or not, the feeds go on; only gaps wait.
    private func askPostgres(_ now: ContinuousClock.Instant) {
        for subscription in subscriptions.values {
            guard let question = subscription.question(at: now) else { continue }
            let stored = subscription.stored
            threads.ask { [answers] readers in
                answers.put(stored, Result { () throws(PostgresError) in try readers[stored].answer(question) })
            }
        }
    }

    private func take(
        _ stored: StoredStream, _ result: Result<FeedAnswer, PostgresError>, _ now: ContinuousClock.Instant
    ) {
        let name = stored.stream.name
        // One that is defined otherwise since is asked about anew.
        guard let subscription = subscriptions[name], subscription.stored == stored else { return }
        switch result {
        case .failure(let error):
            let isLasting = error.isLasting
            subscription.failed(until: now + (isLasting ? Self.mendInterval : Self.retryInterval))
            guard failures.updateValue("\(error)", forKey: name) != "\(error)" else { return }
            Log.standard.say("rows of \(name) can't be read: \(error)", .warning)
            // Whoever waits for an outage to end has nothing to do; this one does not end by itself.
            if isLasting { inbox.put(.unreadable(stream: name, error)) }
        case .success(let answer):
            var deliveries: [FeedDelivery] = []
            if subscription.take(answer, at: now, { deliveries.append($0) }) { begin(name, subscription) }
            for delivery in deliveries { deliver(name, delivery) }
            tellSources(name, subscription)
            if subscription.isWhole, failures.removeValue(forKey: name) != nil { inbox.put(.readable(stream: name)) }
        }
    }

    private func begin(_ name: String, _ subscription: FeedSubscription) {
        numbers[name] = nextNumber
        inbox.deliver(
            .began(
                .init(
                    stored: subscription.stored, epoch: subscription.epoch!, sources: subscription.sources,
                    number: nextNumber)))
        nextNumber += 1
    }

    /// New partitions have new sources.
    private func tellSources(_ name: String, _ subscription: FeedSubscription) {
        guard let number = numbers[name], sourceCounts[name] != subscription.sources.count else { return }
        sourceCounts[name] = subscription.sources.count
        inbox.put(.sources(stream: name, number: number, subscription.sources))
    }

    private func deliver(_ name: String, _ delivery: FeedDelivery) {
        guard let number = numbers[name] else { return }
        if !delivery.lost.isEmpty { inbox.deliver(.lost(stream: name, number: number)) }
        var entry = StreamRing.Entry(rows: delivery.rows, position: delivery.position)
        entry.heardAt = .now
        entry.isRead = delivery.isRead && subscriptions[name]?.stored.stream.isKeyed == true
        inbox.deliver(.delivered(stream: name, number: number, entry))
    }
}
