internal import Foundation
internal import Postgres

/// A private Postgres cluster for the tests of this process, on a socket only; without fsync, unless
/// MILLRACE_TEST_FSYNC is `on`.
package final class TestPostgres: Sendable {
    package static let shared = Result { try TestPostgres() }

    private let folder: String
    /// Where it listens on 127.0.0.1 too; else it has a socket only.
    package let port: UInt16?
    private let server: KeptServer

    /// A cluster of a test's own, which it may crash.
    /// - Parameter settings: further ones of the server's.
    package init(port: UInt16? = nil, settings: [String: String] = [:]) throws {
        self.port = port
        let binaries = try shell("ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1")
        folder = try shell("mktemp -d /tmp/millrace-postgres-XXXXXX")
        let isRoot = getuid() == 0
        // initdb and postgres refuse to run as root.
        let user = isRoot ? "runuser -u postgres -- " : ""
        if isRoot { try shell("chown postgres \(folder)") }
        try shell(
            "cd \(folder) && \(user)\(binaries)/initdb -D \(folder)/data -U millrace -A trust -N -E UTF8 --no-locale")
        let fsync = ProcessInfo.processInfo.environment["MILLRACE_TEST_FSYNC"] == "on" ? "on" : "off"
        var all = [
            "listen_addresses": port == nil ? "" : "127.0.0.1", "fsync": fsync, "max_connections": "200",
            "log_min_messages": "panic",
        ]
        if let port { all["port"] = String(port) }
        let words = all.merging(settings) { $1 }.flatMap { ["-c", "\($0.key)=\($0.value)"] }
        server = try KeptServer(
            ["\(binaries)/postgres", "-D", "\(folder)/data", "-k", folder] + words, folder: folder,
            user: isRoot ? "postgres" : nil, signal: .interrupt)
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
    package var socketPath: String { folder + "/.s.PGSQL.\(port ?? 5432)" }

    package func parameters(database: String) -> [String: String] {
        ["host": folder, "port": "\(port ?? 5432)", "dbname": database, "user": "millrace"]
    }

    /// A database of its own for a test; the cluster's end is its end.
    package func makeDatabase() throws -> [String: String] {
        let name = "test_\(UUID().uuidString.lowercased().replacing("-", with: "_"))"
        var connection = try Connection.open(parameters: parameters(database: "postgres"))
        try connection.execute("CREATE DATABASE \(name)")
        return parameters(database: name)
    }
}
