package import Common
import Foundation
package import ZeroMQ

/// What an edge is started with.
package struct EdgeSettings: Sendable {
    package var listen: ListenAddress
    /// The coordinator's control channel.
    package var control: String
    /// For a control channel and feeds over tcp.
    package var credentials: CurveCredentials?
    /// libpq's parameters; what isn't among them libpq takes from PG* variables by itself.
    package var database: [String: String] = [:]
    package var limits = EdgeLimits()

    package init(listen: ListenAddress, control: String, credentials: CurveCredentials? = nil) {
        self.listen = listen
        self.control = control
        self.credentials = credentials
    }

    package static let help = """
        Fans committed rows out to WebSocket clients; any number of them, on any host.

        usage:   ws-edge [--listen HOST:PORT] [--control ENDPOINT] [--key FILE]
        example: ws-edge --listen 127.0.0.1:8080
        example: ws-edge --listen 10.0.0.7:8080 --control tcp://10.0.0.1:9200 --key edge-1.keys

        --listen   where clients connect, at ws://HOST:PORT/ws (127.0.0.1:8080, or MILLRACE_LISTEN)
        --control  the coordinator: ipc://DIR/control/coordinator or tcp://HOST:PORT (MILLRACE_CONTROL;
                   without it the coordinator of MILLRACE_RUNTIME_DIR, or .millrace)
        --key      the file that `coordinator keys add` printed, for tcp (MILLRACE_KEY_FILE)
        Postgres is found by libpq's own variables: PGHOST, PGUSER, PGPASSFILE and so on. Reading is enough.
        There is no sign-in yet: whoever reaches the port reads every append stream.

        """

    package init(_ words: [String], environment: [String: String]) throws(StartError) {
        var arguments = Arguments(words, command: "ws-edge")
        let address = try arguments.option("--listen") ?? environment["MILLRACE_LISTEN"] ?? "127.0.0.1:8080"
        let folder = environment["MILLRACE_RUNTIME_DIR"] ?? ".millrace"
        let path = URL(filePath: folder).standardizedFileURL.path
        let control =
            try arguments.option("--control") ?? environment["MILLRACE_CONTROL"]
            ?? "ipc://\(path)/control/coordinator"
        let key = try arguments.option("--key") ?? environment["MILLRACE_KEY_FILE"]
        try arguments.finish()
        guard let listen = ListenAddress(address) else {
            throw arguments.usage("--listen needs HOST:PORT, not '\(address)'")
        }
        guard control.hasPrefix("tcp://") == (key != nil) else {
            throw arguments.usage("--control tcp://HOST:PORT and --key go together")
        }
        self.init(listen: listen, control: control)
        guard let key else { return }
        guard let data = FileManager.default.contents(atPath: key) else {
            throw StartError("\(key): can't be read", .usage)
        }
        do throws(ZeroMQError) {
            credentials = try CurveCredentials(text: String(decoding: data, as: UTF8.self))
        } catch {
            throw StartError("\(key): \(error.message)", .usage)
        }
    }

    func log(_ line: String) {
        FileHandle.standardError.write(Data("ws-edge: \(line)\n".utf8))
    }
}
