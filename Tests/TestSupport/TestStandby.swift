internal import Foundation
internal import Postgres

/// A streaming replica of a test's own Postgres, to be promoted (Postgres documentation, 26.2 and 26.3).
package final class TestStandby {
    private let folder: String
    private let port: UInt16
    private let server: KeptServer

    /// Copies the primary as it is now, and follows it from then on.
    package init(of primary: TestPostgres) throws {
        let binaries = try shell("ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1")
        folder = try shell("mktemp -d /tmp/millrace-standby-XXXXXX")
        port = primary.port ?? 5432
        let isRoot = getuid() == 0
        let user = isRoot ? "runuser -u postgres -- " : ""
        if isRoot { try shell("chown postgres \(folder)") }
        let source = primary.parameters(database: "postgres")
        try shell(
            "cd \(folder) && \(user)\(binaries)/pg_basebackup -h \(source["host"]!) -p \(source["port"]!) -U millrace"
                + " -D \(folder)/data -R -X stream -c fast")
        server = try KeptServer(
            [
                "\(binaries)/postgres", "-D", "\(folder)/data", "-k", folder, "-c", "listen_addresses=", "-c",
                "port=\(port)", "-c", "fsync=off", "-c", "max_connections=200", "-c", "log_min_messages=panic",
            ], folder: folder, user: isRoot ? "postgres" : nil, signal: .interrupt)
        try wait { try execute("SELECT pg_is_in_recovery()") == "t" }
    }

    package func parameters(database: String) -> [String: String] {
        ["host": folder, "port": "\(port)", "dbname": database, "user": "millrace"]
    }

    /// It hears of nothing that the primary commits from now on.
    package func cutOff() throws {
        try execute("ALTER SYSTEM SET primary_conninfo = ''")
        try execute("SELECT pg_reload_conf()")
        try wait { try execute("SELECT count(*) FROM pg_stat_wal_receiver") == "0" }
    }

    /// Until it takes writes.
    package func promote() throws {
        try wait { try execute("SELECT pg_promote()") == "t" }
        try wait { try execute("SELECT pg_is_in_recovery()") == "f" }
    }

    @discardableResult
    private func execute(_ sql: String) throws -> String? {
        var connection = try Connection.open(parameters: parameters(database: "postgres"))
        return try connection.execute(sql).first?.text(0, 0)
    }

    private func wait(_ isDone: () throws -> Bool) throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            if (try? isDone()) == true { return }
            guard ContinuousClock.now < deadline, server.exit == nil else {
                throw ShellFailure(command: "standby", output: server.lastLines)
            }
            Thread.sleep(forTimeInterval: 0.05)
        }
    }
}
