private import CLinux
package import Common
import Foundation
import WebSockets

/// An edge from its start to its end: the server on the caller's thread, the feeds and Postgres on others.
package enum EdgeProcess {
    /// Until SIGTERM or SIGINT, and until its clients were told.
    package static func run(_ settings: EdgeSettings) throws -> ExitCode {
        let signals = blockSignals()
        let notifier = try ServiceNotifier.fromEnvironment()
        var limits = WebSocketServer.Limits()
        limits.messageByteCount = settings.limits.messageByteCount
        limits.pingSeconds = settings.limits.pingSeconds
        let server: WebSocketServer
        do {
            server = try WebSocketServer(
                host: settings.listen.host, port: settings.listen.port, path: "/ws",
                subprotocol: "millrace.v1.json", limits: limits)
        } catch {
            throw StartError("\(error)", .unavailable)
        }
        var listen = settings.listen
        listen.port = server.port
        let inbox = EdgeInbox(server.waker)
        let counters = EdgeCounters()
        let address = listen.description
        let thread = Thread {
            do {
                try FeedLoop(settings, address: address, signals: signals, inbox, counters).run()
            } catch {
                settings.log("\(error)")
                exit(ExitCode.internalError.rawValue)
            }
        }
        thread.name = "feeds"
        thread.start()
        settings.log("clients connect at ws://\(address)/ws")
        let edge = Edge(
            settings.limits, inbox, ReplayQueue(database: settings.database, inbox) { settings.log($0) }, counters,
            notifier)
        notifier?.started(status: "no worker is heard yet", at: .now)
        server.run(edge) { edge.isFinished }
        inbox.close()
        return .success
    }

    private static func blockSignals() -> Int32 {
        signal(SIGPIPE, SIG_IGN)
        var set = sigset_t()
        sigemptyset(&set)
        for number in [SIGTERM, SIGINT] { sigaddset(&set, number) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        return signalfd(-1, &set, Int32(SFD_NONBLOCK | SFD_CLOEXEC))
    }
}
