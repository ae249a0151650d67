internal import Foundation
internal import Postgres

/// A private Postgres cluster for the tests of this process, on a socket only; without fsync, unless
/// MILLRACE_TEST_FSYNC is `on`.
package final class TestPostgres: Sendable {
    package static let shared = Result { try TestPostgres() }

    private let folder: String
    private let server: KeptServer

    /// A cluster of a test's own, which it may crash.
    package init() throws {
        let binaries = try shell("ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1")
        folder = try shell("mktemp -d /tmp/millrace-postgres-XXXXXX")
        let isRoot = getuid() == 0
        // initdb and postgres refuse to run as root.
        let user = isRoot ? "runuser -u postgres -- " : ""
        if isRoot { try shell("chown postgres \(folder)") }
        try shell(
            "cd \(folder) && \(user)\(binaries)/initdb -D \(folder)/data -U millrace -A trust -N -E UTF8 --no-locale")
        let fsync = ProcessInfo.processInfo.environment["MILLRACE_TEST_FSYNC"] == "on" ? "on" : "off"
        server = try KeptServer(
            [
                "\(binaries)/postgres", "-D", "\(folder)/data", "-k", folder, "-c", "listen_addresses=", "-c",
                "fsync=\(fsync)", "-c", "max_connections=200", "-c", "log_min_messages=panic",
            ], folder: folder, user: isRoot ? "postgres" : nil, signal: .interrupt)
        try waitUntilReady()
    }

    private func waitUntilReady() throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            do {
                let connection = try Connection.open(parameters: parameters(database: "postgres"))
                _ = consume connection
                return
            } catch {
                guard ContinuousClock.now < deadline, server.exit == nil else {
                    throw ShellFailure(command: "start Postgres", output: "\(error)\n\(server.lastLines)")
                }
                Thread.sleep(forTimeInterval: 0.05)
            }
        }
    }

    /// Kills the server, until `revive`.
    package func crash() throws {
        server.crash()
    }

    /// Starts it again, and waits until it has recovered.
    package func revive() throws {
        try server.start()
        try waitUntilReady()
    }

    /// Where the server listens.
    package var socketPath: String { folder + "/.s.PGSQL.5432" }

    package func parameters(database: String) -> [String: String] {
        ["host": folder, "dbname": database, "user": "millrace"]
    }

    /// A database of its own for a test; the cluster's end is its end.
    package func makeDatabase() throws -> [String: String] {
        let name = "test_\(UUID().uuidString.lowercased().replacing("-", with: "_"))"
        var connection = try Connection.open(parameters: parameters(database: "postgres"))
        try connection.execute("CREATE DATABASE \(name)")
        return parameters(database: name)
    }
}
