import Common
import CoordinatorCore
import Foundation
import Testing

@Suite("Which Postgres is run")
struct PostgresBinariesTests {
    /// A folder with versions as Debian installs them, and a cluster.
    private func find(_ versions: [String], cluster: String?) throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(path: "mr-\(UUID().uuidString.prefix(8))").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for version in versions {
            let bin = "\(folder)/\(version)/bin"
            try FileManager.default.createDirectory(atPath: bin, withIntermediateDirectories: true)
            for name in ["initdb", "postgres"] {
                _ = FileManager.default.createFile(
                    atPath: "\(bin)/\(name)", contents: nil, attributes: [.posixPermissions: 0o755])
            }
        }
        // Clients alone are no server.
        try FileManager.default.createDirectory(atPath: folder + "/99/bin", withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: folder + "/data", withIntermediateDirectories: true)
        try cluster?.write(toFile: folder + "/data/PG_VERSION", atomically: false, encoding: .utf8)
        return String(try PostgresBinaries.find(for: folder + "/data", in: folder).dropFirst(folder.count))
    }

    @Test("The newest by number, but for a cluster the version that made it")
    func versions() throws {
        #expect(try find(["9.6", "17", "15"], cluster: nil) == "/17/bin")
        #expect(try find(["9.6", "17", "15"], cluster: "15\n") == "/15/bin")
    }

    @Test("What is not installed is told with what to do", arguments: [(nil, "postgresql,"), ("13", "postgresql-13,")])
    func missing(cluster: String?, package: String) throws {
        do {
            _ = try find(cluster == nil ? [] : ["17"], cluster: cluster)
            Issue.record("something was found")
        } catch let error as StartError {
            #expect(error.exitCode == .unavailable && error.description.contains("apt-get install \(package)"))
        }
    }
}
