internal import CoordinatorCore
internal import Foundation
internal import Postgres

/// PgBouncer before a test's Postgres.
package final class TestPooler: Sendable {
    package static let program = "/usr/sbin/pgbouncer"
    package static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: program) }

    private let port: UInt16
    private let server: KeptServer

    /// - Parameter mode: its pool_mode.
    package init(before postgres: [String: String], mode: String) throws {
        let folder = try shell("mktemp -d /tmp/millrace-pooler-XXXXXX")
        port = try FreePort.random()
        try """
        [databases]
        * = host=\(postgres["host"] ?? "") user=\(postgres["user"] ?? "")
        [pgbouncer]
        listen_addr = 127.0.0.1
        listen_port = \(port)
        unix_socket_dir =
        auth_type = any
        pool_mode = \(mode)
        ignore_startup_parameters = options
        """.write(toFile: folder + "/pgbouncer.ini", atomically: false, encoding: .utf8)
        // It refuses to run as root; and Postgres's socket is its user's.
        let isRoot = getuid() == 0
        if isRoot { try shell("chown -R postgres \(folder)") }
        server = try KeptServer(
            [Self.program, folder + "/pgbouncer.ini"], folder: folder, user: isRoot ? "postgres" : nil,
            signal: .interrupt)
        let deadline = ContinuousClock.now + .seconds(30)
        while (try? Connection.open(parameters: parameters(postgres))) == nil {
            guard ContinuousClock.now < deadline, server.exit == nil else {
                throw ShellFailure(command: "start PgBouncer", output: server.lastLines)
            }
            Thread.sleep(forTimeInterval: 0.05)
        }
    }

    /// The same database, through the pooler.
    package func parameters(_ postgres: [String: String]) -> [String: String] {
        postgres.merging(["host": "127.0.0.1", "port": String(port)]) { $1 }.filter { $0.key != "options" }
    }
}
