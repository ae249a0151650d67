package import Accounts
package import Common
import Foundation
import Kafka
import Postgres
package import WebServer
package import ZeroMQ

/// What an edge is started with.
package struct EdgeSettings: Sendable {
    package var listen: ListenAddress
    /// The coordinator's control channel; of a group those of several, in the order in which they are tried.
    package var controls: [String]
    /// For a control channel and feeds over tcp.
    package var credentials: CurveCredentials?
    /// libpq's parameters; empty: those of the fleet on this machine, or what libpq finds by itself.
    package var database: [String: String] = [:]
    /// librdkafka's properties; empty: those of the fleet on this machine.
    package var kafka: [String: String] = [:]
    /// Of the parent that started it nothing is left when standard input ends: then it ends too.
    package var isSupervised = false
    /// Nil: connections are not encrypted.
    package var tls: TLSFiles?
    /// The dashboard's files; nil: none are served.
    package var site: String?
    /// Map tiles from another host, as `https://HOST/{z}/{x}/{y}.png`, and whose they are.
    package var tiles: String?
    package var tilesAttribution: String?
    /// Pages of other hosts that may connect.
    package var origins: Set<String> = []
    package var limits = EdgeLimits()
    package var access = AccessLimits()
    /// Streams that name no roles are anyone's, to read and to publish.
    package var isOpen = false
    /// The fleet's keys for tokens; nil: those that the coordinator tells on this machine. Never logged.
    package var tokenKeys: TokenKeys?

    package init(listen: ListenAddress, controls: [String], credentials: CurveCredentials? = nil) {
        self.listen = listen
        self.controls = controls
        self.credentials = credentials
    }

    package static let help = """
        Fans committed rows out to WebSocket clients, and takes their records into Kafka; any number of edges, anywhere.

        usage:   ws-edge [--listen HOST:PORT] [--control ENDPOINT] [--key FILE] [--open] [--site DIR | --no-site]
        example: ws-edge --listen 127.0.0.1:8080
        example: ws-edge --listen 10.0.0.7:8080 --control tcp://10.0.0.1:9200 --key edge-1.keys

        --listen   where clients connect: the dashboard at http://HOST:PORT/, WebSockets at ws://HOST:PORT/ws
                   (127.0.0.1:8080, or MILLRACE_LISTEN)
        --port     the same on 127.0.0.1: --port 8080
        --control  the coordinator: ipc://DIR/control/coordinator or tcp://HOST:PORT (MILLRACE_CONTROL;
                   without it the coordinator of MILLRACE_RUNTIME_DIR, or .millrace); of a group several, with commas
        --key      the file that `coordinator keys add` printed, for tcp (MILLRACE_KEY_FILE)
        --open     anyone reads and publishes where a stream names no roles (MILLRACE_OPEN). Without it publishing needs a
                   user, and on an address that others reach reading too
        --tls-certificate, --tls-key  files (PEM) for wss:// and https://; looked at once a minute, and on SIGHUP
                   (MILLRACE_TLS_CERTIFICATE, MILLRACE_TLS_KEY)
        --site     the dashboard's files, if they are elsewhere than beside the program; --no-site serves none
        --origin   a page's origin that may connect from another host, or '*'; again for more (MILLRACE_ORIGINS,
                   separated by commas)
        --connections  at once, 10000 by default (MILLRACE_EDGE_CONNECTIONS); --connections-per-address, as many by default
                   (MILLRACE_EDGE_CONNECTIONS_PER_ADDRESS). Those beyond are refused
        --memory   megabytes of rows that are kept for clients, 256 by default (MILLRACE_EDGE_MEMORY)
        Postgres is where DATABASE_URL, or PGHOST, PGUSER, PGPASSFILE and so on say, Kafka where
        KAFKA_BOOTSTRAP_SERVERS and so on say; beside a coordinator, without them, where the fleet's are. Reading is
        enough in Postgres. MILLRACE_LOG=json makes each line that it logs a JSON object.
        MILLRACE_TILES, with MILLRACE_TILES_ATTRIBUTION, gives the dashboard's map a background:
        https://HOST/{z}/{x}/{y}.png. MILLRACE_TOKEN_KEYS_FILE names the fleet's keys for tokens, for an edge that has
        them not from a coordinator on this machine. More: docs/security.md.

        """

    package init(_ words: [String], environment: [String: String]) throws(StartError) {
        var arguments = Arguments(words, command: "ws-edge")
        try OwnVariables.check(environment, libpq: ConnectionString.variables.keys)
        let given = try arguments.option("--listen")
        let port: UInt16? = try arguments.number("--port")
        guard given == nil || port == nil else { throw arguments.usage("--listen and --port exclude each other") }
        let address = given ?? port.map { "127.0.0.1:\($0)" } ?? environment["MILLRACE_LISTEN"] ?? "127.0.0.1:8080"
        let folder = environment["MILLRACE_RUNTIME_DIR"] ?? ".millrace"
        let path = URL(filePath: folder).standardizedFileURL.path
        let control =
            try arguments.option("--control") ?? environment["MILLRACE_CONTROL"]
            ?? "ipc://\(path)/control/coordinator"
        let key = try arguments.option("--key") ?? environment["MILLRACE_KEY_FILE"]
        let site = try arguments.option("--site")
        let isOpen = arguments.flag("--open")
        let certificate = try arguments.option("--tls-certificate") ?? environment["MILLRACE_TLS_CERTIFICATE"]
        let tlsKey = try arguments.option("--tls-key") ?? environment["MILLRACE_TLS_KEY"]
        guard (certificate == nil) == (tlsKey == nil) else {
            throw arguments.usage("--tls-certificate and --tls-key go together")
        }
        let hasNoSite = arguments.flag("--no-site")
        var origins = (environment["MILLRACE_ORIGINS"] ?? "").split(separator: ",").map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        while let origin = try arguments.option("--origin") { origins.append(origin) }
        let memory: Int? = try arguments.number("--memory")
        let connections = try Self.count("--connections", "MILLRACE_EDGE_CONNECTIONS", &arguments, environment)
        let perAddress = try Self.count(
            "--connections-per-address", "MILLRACE_EDGE_CONNECTIONS_PER_ADDRESS", &arguments, environment)
        try arguments.finish()
        _ = try Log.form(in: environment)
        guard let listen = ListenAddress(address) else {
            throw arguments.usage("--listen needs HOST:PORT, not '\(address)'")
        }
        let controls = control.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        guard !controls.isEmpty, controls.allSatisfy({ $0.hasPrefix("tcp://") == (key != nil) }) else {
            throw arguments.usage("--control tcp://HOST:PORT and --key go together")
        }
        guard controls.count == 1 || key != nil else {
            throw arguments.usage("--control needs tcp://HOST:PORT of each, where there are several")
        }
        self.init(listen: listen, controls: controls)
        let megabytes = memory ?? environment["MILLRACE_EDGE_MEMORY"].map { Int($0) ?? 0 }
        if let megabytes {
            guard (16...65_536).contains(megabytes) else {
                throw arguments.usage("--memory (MILLRACE_EDGE_MEMORY) is 16 to 65536 megabytes")
            }
            limits.memoryByteCount = megabytes * 1024 * 1024
        }
        if let connections { limits.connections = connections }
        limits.connectionsPerAddress = perAddress
        self.origins = Set(origins)
        self.isOpen = isOpen || ["1", "true"].contains(environment["MILLRACE_OPEN"] ?? "")
        if let certificate, let tlsKey { tls = TLSFiles(certificate: certificate, key: tlsKey) }
        if let text = try ConnectionVariables.value(TokenKeys.variable, in: environment) {
            do throws(StartError) { tokenKeys = try TokenKeys(text: text) } catch {
                throw StartError("\(TokenKeys.variable): \(error)", .configuration)
            }
        }
        self.site = hasNoSite ? nil : site ?? EdgeSite.folder
        tiles = environment["MILLRACE_TILES"]
        tilesAttribution = environment["MILLRACE_TILES_ATTRIBUTION"]
        isSupervised = environment["MILLRACE_SUPERVISED"] == "1"
        database = try ConnectionString.parameters(in: environment)
        kafka = try ConnectionVariables.values(ConnectionVariables.kafka, in: environment)
        let problems = Properties.problems(kafka)
        guard problems.isEmpty else { throw StartError(problems.joined(separator: "\n"), .configuration) }
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

    private static func count(
        _ option: String, _ variable: String, _ arguments: inout Arguments, _ environment: [String: String]
    ) throws(StartError) -> Int? {
        let given: Int? = try arguments.number(option)
        guard let count = given ?? environment[variable].map({ Int($0) ?? 0 }) else { return nil }
        guard (1...1_000_000).contains(count) else { throw arguments.usage("\(option) (\(variable)) is 1 to 1000000") }
        return count
    }
}
