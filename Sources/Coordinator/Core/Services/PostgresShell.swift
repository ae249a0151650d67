private import CLinux
package import Common
import Foundation

/// psql in the place of this process. The password goes to it as a password file that no disk has seen, since arguments
/// and environment show in /proc.
package struct PostgresShell {
    private let parameters: [String: String]

    package init(_ parameters: [String: String]) {
        self.parameters = parameters
    }

    /// Returns when it can't be run.
    package func run(_ words: [String]) -> StartError {
        if let password = parameters["password"] {
            // Any host, port, database and user (Postgres documentation, 34.16).
            let escaped = password.replacing("\\", with: "\\\\").replacing(":", with: "\\:")
            let text = "*:*:*:*:\(escaped)\n"
            let descriptor = millrace_memory_file("pgpass")
            guard descriptor >= 0, fchmod(descriptor, 0o600) == 0,
                write(descriptor, text, text.utf8.count) == text.utf8.count
            else {
                let reason = String(cString: strerror(errno))
                return StartError("can't hand the password to psql: \(reason)", .internalError)
            }
            setenv("PGPASSFILE", "/proc/self/fd/\(descriptor)", 1)
            // It would come first.
            unsetenv("PGPASSWORD")
        }
        let place = parameters.filter { $0.key != "password" }.sorted { $0.key < $1.key }.map { name, value in
            // By scalars: a quote may be part of a character.
            let quoted = value.unicodeScalars.map { "\\'".unicodeScalars.contains($0) ? "\\\($0)" : "\($0)" }.joined()
            return "\(name)='\(quoted)'"
        }
        let arguments = ["psql", "--dbname", place.joined(separator: " ")] + words
        var pointers = arguments.map { strdup($0) } + [nil]
        execvp("psql", &pointers)
        let reason = String(cString: strerror(errno))
        return StartError("psql: \(reason); it is in the package postgresql-client", .unavailable)
    }
}
