private import CLinux
import Common
import Foundation
import Postgres

/// A private Postgres cluster of Debian's binaries: loopback and a socket in its folder only, one role with a password,
/// nothing of its durability given up. What it keeps survives the fleet.
struct EmbeddedPostgres {
    let folder: ServiceFolder
    /// Whom it runs as; nil: as ourselves. Postgres refuses to run as root.
    private let account: ServiceAccount?
    private let binaries: String
    private let coordinator: String
    /// Why its folder is not in the runtime folder.
    private let elsewhere: String?
    private(set) var port: UInt16 = 0
    private var password = ""

    /// Also its database's.
    static let role = "millrace"
    private static let initLimit = Duration.seconds(120)
    /// Recovering from a crash may take long.
    private static let startLimit = Duration.seconds(120)

    private var data: String { folder.path + "/data" }

    /// Whether an earlier fleet left rows.
    static func hasRows(in runtimeFolder: String) -> Bool {
        guard let postgres = try? EmbeddedPostgres(runtimeFolder: runtimeFolder, coordinator: "") else { return false }
        return FileManager.default.fileExists(atPath: postgres.data)
    }

    /// Nothing is made yet.
    init(runtimeFolder: String, coordinator: String) throws(StartError) {
        account = getuid() == 0 ? try ServiceAccount("postgres") : nil
        let place = ServicePlace(runtimeFolder: runtimeFolder, name: "postgres", account: account)
        folder = ServiceFolder(name: "private Postgres", path: place.path)
        elsewhere = place.reason
        self.coordinator = coordinator
        binaries = try PostgresBinaries.find(for: folder.path + "/data")
    }

    /// Makes what isn't there. Blocking.
    mutating func prepare(_ watch: StartWatch) throws(StartError) {
        if elsewhere != nil { try ServicePlace.makeOutside(folder.path) }
        try folder.make(owner: account.map { ($0.user, $0.group) })
        try folder.waitUntilFree(watch)
        if !FileManager.default.fileExists(atPath: data) { try makeCluster(watch) }
        password = try readPassword()
        port = try folder.ports(1, watch)[0]
    }

    private var passwordPath: String { folder.path + "/password" }

    private func readPassword() throws(StartError) -> String {
        guard let text = try? String(contentsOfFile: passwordPath, encoding: .utf8), !text.isEmpty else {
            throw StartError("\(passwordPath), the password of the private Postgres, can't be read", .unavailable)
        }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Beside its place first: a start that is cut short leaves nothing that looks like a cluster.
    private func makeCluster(_ watch: StartWatch) throws(StartError) {
        let new = folder.path + "/data.new"
        do {
            if FileManager.default.fileExists(atPath: new) { try FileManager.default.removeItem(atPath: new) }
            try makePassword()
        } catch {
            throw StartError("\(folder.path): \(error)", .unavailable)
        }
        try ServiceStart.run(
            Keeper(
                [
                    binaries + "/initdb", "--pgdata", new, "--username", Self.role, "--pwfile", passwordPath,
                    "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8",
                ], user: account?.name, signal: .terminate, lock: folder.lockPath),
            in: folder, coordinator: coordinator, "making its files", limit: Self.initLimit, watch)
        do {
            let settings = new + "/postgresql.conf"
            guard let file = FileHandle(forWritingAtPath: settings) else {
                throw StartError("\(settings): can't be written", .unavailable)
            }
            try file.seekToEnd()
            try file.write(contentsOf: Data(Self.settings.utf8))
            try file.close()
            try FileManager.default.moveItem(atPath: new, toPath: data)
        } catch {
            throw StartError("\(folder.path): \(error)", .unavailable)
        }
    }

    /// For a small machine; to be changed there by whoever wants others.
    private static let settings = """

        # Millrace's private cluster. Port, addresses and socket are given on the command line.
        max_connections = 200
        shared_buffers = 128MB
        max_wal_size = 1GB
        log_line_prefix = '%m [%p] '

        """

    private func makePassword() throws(StartError) {
        unlink(passwordPath)
        let descriptor = open(passwordPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw StartError("\(passwordPath): can't be made", .unavailable) }
        defer { close(descriptor) }
        let bytes = (0..<24).map { _ in UInt8.random(in: .min ... .max) }
        let text = bytes.map { String(format: "%02x", $0) }.joined() + "\n"
        guard write(descriptor, text, text.utf8.count) == text.utf8.count,
            account.map({ fchown(descriptor, $0.user, $0.group) == 0 }) ?? true
        else { throw StartError("\(passwordPath): can't be written", .unavailable) }
    }

    // MARK: Running

    var command: ChildCommand {
        // Fast shutdown: clients are disconnected, a checkpoint is written.
        let keeper = Keeper(
            [
                binaries + "/postgres", "-D", data, "-p", String(port), "-h", "127.0.0.1", "-k", folder.path,
            ], user: account?.name, signal: .interrupt, grace: EmbeddedServices.grace, lock: folder.lockPath)
        return .kept(keeper, coordinator: coordinator, log: folder.logPath, directory: folder.path)
    }

    /// Until its database is there. Blocking.
    func waitUntilReady(_ process: ChildProcess, _ watch: StartWatch) throws(StartError) {
        var server = parameters
        server["dbname"] = "postgres"
        var last: PostgresError?
        do {
            try ServiceStart.wait(for: folder, process, "starting", limit: Self.startLimit, watch) {
                () throws(StartError) in
                do throws(PostgresError) {
                    var connection = try Connection.open(parameters: server, timeout: .seconds(2))
                    let name = try connection.literal(Self.role)
                    if try connection.execute("SELECT FROM pg_database WHERE datname = \(name)")[0].rowCount == 0 {
                        try connection.execute("CREATE DATABASE \(Connection.identifier(Self.role))")
                    }
                    return true
                } catch {
                    last = error
                    return false
                }
            }
        } catch {
            throw StartError(error.description + (last.map { "\nlast answer: \($0)" } ?? ""), error.exitCode)
        }
    }

    /// libpq's. What its own variables say of another server must not count here.
    var parameters: [String: String] {
        [
            "host": "127.0.0.1", "port": String(port), "dbname": Self.role, "user": Self.role, "password": password,
            "sslmode": "disable", "gssencmode": "disable",
        ]
    }

    var line: String {
        "Postgres: none is configured, so a private one keeps the rows: 127.0.0.1:\(port), database and user "
            + "\(Self.role), in \(folder.path)\(elsewhere.map { " (\($0))" } ?? ""); to look inside: coordinator psql"
    }
}
