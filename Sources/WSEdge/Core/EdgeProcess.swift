private import CLinux
package import Common
import Foundation
import WebServer

/// An edge from its start to its end: the server on the caller's thread, the feeds and Postgres on others.
package enum EdgeProcess {
    /// Until SIGTERM or SIGINT, and until its clients were told.
    package static func run(_ settings: EdgeSettings) throws -> ExitCode {
        let signals = blockSignals(settings)
        let notifier = try ServiceNotifier.fromEnvironment()
        var limits = WebServerLimits()
        limits.connections = settings.limits.connections
        limits.connectionsPerAddress = settings.limits.connectionsPerAddress
        limits.messageByteCount = settings.limits.messageByteCount
        limits.bodyByteCount = settings.limits.bodyByteCount
        limits.pingSeconds = Int(settings.limits.pingSeconds)
        let inbox = EdgeInbox(try unlessUnavailable { () throws(WebServerError) in try ServerWaker() })
        let counters = EdgeCounters()
        guard let turns = TurnTimer() else { throw StartError("no timer: errno \(errno)", .unavailable) }
        let edge = Edge(
            settings, inbox, ReaderThreads(2, name: "reading"), ReaderThreads(1, name: "pages"), counters, turns,
            notifier)
        let server = try unlessUnavailable { () throws(WebServerError) in
            try WebServer(settings.listen, limits: limits, waker: inbox.waker, tls: settings.tls, Edge.routes(edge))
        }
        edge.server = server
        server.isAccepting = false
        if server.connectionLimit < limits.connections {
            Log.standard.say(
                """
                the limit of open files leaves \(server.connectionLimit) connections instead of \(limits.connections); raise it \
                (ulimit -n, LimitNOFILE=), or say --connections
                """, .warning)
        }
        server.watch(turns.descriptor) { [unowned edge] in
            turns.calmDown()
            edge.woken()
        }
        let address = server.address.description
        follow(settings, address: address, signals: signals, inbox, counters)
        Log.standard.say("clients connect at \(settings.tls == nil ? "ws" : "wss")://\(address)/ws")
        notifier?.started(status: "no worker is heard yet", at: .now)
        server.run(
            until: {
                edge.turned()
                return edge.isFinished
            }, woken: { edge.woken() }, ticked: { edge.ticked() })
        inbox.close()
        return .success
    }

    private static func unlessUnavailable<Value>(_ make: () throws(WebServerError) -> Value) throws(StartError) -> Value
    {
        do throws(WebServerError) { return try make() } catch {
            guard error.operation != "TLS" else { throw StartError("TLS: \(error.message)", .configuration) }
            throw StartError("can't listen: \(error); choose another address with --listen", .unavailable)
        }
    }

    private static func follow(
        _ settings: EdgeSettings, address: String, signals: Int32, _ inbox: EdgeInbox, _ counters: EdgeCounters
    ) {
        let thread = Thread {
            do {
                try FeedLoop(settings, address: address, signals: signals, inbox, counters).run()
            } catch {
                Log.standard.say("\(error)", .error)
                exit(ExitCode.internalError.rawValue)
            }
        }
        thread.name = "feeds"
        thread.start()
    }

    /// Those that the other thread hears of. SIGHUP only where it means something.
    private static func blockSignals(_ settings: EdgeSettings) -> Int32 {
        signal(SIGPIPE, SIG_IGN)
        var set = sigset_t()
        sigemptyset(&set)
        for number in [SIGTERM, SIGINT] + (settings.tls == nil ? [] : [SIGHUP]) { sigaddset(&set, number) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        return signalfd(-1, &set, Int32(SFD_NONBLOCK | SFD_CLOEXEC))
    }
}
