package import Common
import Foundation

/// Postgres as Debian installs it: a folder a version.
package enum PostgresBinaries {
    package static let installed = "/usr/lib/postgresql"

    /// The newest, or those of the version that made the cluster that is there: another one can't read it.
    ///
    /// - Returns: the folder with `initdb` and `postgres`.
    package static func find(for data: String, in installed: String = installed) throws(StartError) -> String {
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: installed)) ?? []).filter { version in
            ["initdb", "postgres"].allSatisfy {
                FileManager.default.isExecutableFile(atPath: "\(installed)/\(version)/bin/\($0)")
            }
        }
        let made = (try? String(contentsOfFile: data + "/PG_VERSION", encoding: .utf8))?.trimmingCharacters(
            in: .whitespacesAndNewlines)
        let elsewhere = "or say where yours is: PGHOST, or postgres.host in Config.json"
        if let made, !versions.contains(made) {
            throw StartError(
                "the private Postgres in \(data) is of version \(made), which is not installed: apt-get install "
                    + "postgresql-\(made), \(elsewhere)", .unavailable)
        }
        guard let version = made ?? versions.max(by: { $0.compare($1, options: .numeric) == .orderedAscending }) else {
            throw StartError(
                "no Postgres is configured, and none is installed that a private one could be made of: apt-get install "
                    + "postgresql, \(elsewhere)", .unavailable)
        }
        return "\(installed)/\(version)/bin"
    }
}
